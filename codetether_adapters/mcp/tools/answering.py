"""Answering what agents ask."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from codetether_adapters.mcp.arguments import argument
from codetether_adapters.mcp.caller import Exchange
from codetether_adapters.mcp.clipping import WORDS, clipped
from codetether_adapters.mcp.hub import Hub
from codetether_adapters.mcp.results import Answered
from codetether_adapters.mcp.tasks import row
from codetether_adapters.mcp.tool import Hints, Tool
from codetether_core.approvals import Approval
from codetether_core.errors import Conflict, Invalid, NotFound
from codetether_core.ids import ApprovalId

__all__ = ["ANSWER_TASK", "chosen"]


@frozen(kw_only=True)
class AnswerTask:
    task_id: str = argument("The task that asks.", shortest=1, longest=200)
    answer: str = argument("The id or label of a choice, or words where there are none.", shortest=1, longest=100_000)
    approval_id: str | None = argument("Which question is meant, where there is more than one.", None, longest=200)


async def answer(hub: Hub, exchange: Exchange, asked: AnswerTask) -> Answered:
    """Give the answer; the first one counts."""
    task, questions = await hub.task(exchange, asked.task_id), hub.services.questions
    if asked.approval_id is None:
        approval = await questions.sole(exchange.principal, task.id)
    else:
        approval = await questions.get(exchange.principal, ApprovalId(asked.approval_id))
        if approval.task != task.id:
            raise NotFound("approval", asked.approval_id)
    choice = chosen(approval, asked.answer)
    text = None if approval.options else asked.answer
    done = await questions.answer(exchange.principal, approval.id, choice=choice, text=text)
    task = await hub.task(exchange, asked.task_id)
    told = None if done.text is None else clipped(done.text, WORDS)
    return Answered(task=row(task), approval_id=done.id, choice=done.choice, text=told)


def chosen(approval: Approval, words: str) -> str | None:
    """The choice that is meant, ``None`` where there are none; ``Invalid`` names those that there are."""
    if not approval.options:
        return None
    told = words.strip().casefold()
    meant = [each for each in approval.options if each.id == words.strip()] or [
        each for each in approval.options if told in (each.id.casefold(), each.label.casefold())
    ]
    if len(meant) > 1:
        raise Conflict("More than one choice is called that", hint="use a choice's id", id=approval.id)
    if not meant:
        offered = ", ".join(f"{each.id} ({clipped(each.label, 60)})" for each in approval.options)
        raise Invalid("answer", f"must be one of: {offered}")
    return meant[0].id


ANSWER_TASK: Final = Tool(
    name="answer_task",
    title="Answer a task's question",
    description=(
        "Answer what a task's agent asks (status input_required; get_task shows its questions). Leave to do something"
        " is for your user to give: ask them, do not decide it yourself. The first answer counts."
    ),
    permission="approvals:write",
    arguments=AnswerTask,
    result=Answered,
    hints=Hints(destructive=True, open_world=True),
    run=answer,
)
