"""A task as clients of the protocol see it: its state, what its agent says with it, and who said what before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from attrs import evolve

from codetether_adapters.a2a.hitl import HITL, request_of
from codetether_adapters.a2a.routing import KEPT
from codetether_adapters.a2a_wire.v1 import V1
from codetether_adapters.a2a_wire.values import Artifact, Data, Message, Part, Role, TaskState, TaskStatus, Text
from codetether_adapters.a2a_wire.values import Task as Shown
from codetether_core.approvals import Approval, ApprovalKind, ApprovalState
from codetether_core.errors import Invalid
from codetether_core.tasks import Task
from codetether_core.tasks import TaskState as State

__all__ = [
    "answer_of",
    "asking_state",
    "context_of",
    "data_message",
    "ended_state",
    "history_of",
    "question",
    "shown",
    "state_of",
    "words",
]

_REJECTED: Final = "rejected"
_ANSWERED: Final = "answered"


def context_of(task: Task) -> str:
    """The conversation that a task belongs to; one that was given elsewhere is a conversation of its own."""
    return task.spec.context or task.id


def shown(
    task: Task,
    approvals: Sequence[Approval],
    *,
    history_length: int | None = None,
    artifacts: Sequence[Artifact] = (),
    hitl: bool = False,
) -> Shown:
    """The task; ``approvals`` are all of its own, oldest first. ``hitl``: the client knows that extension."""
    history = history_of(task, approvals, hitl=hitl) if history_length != 0 else []
    return Shown(
        id=task.id,
        context_id=context_of(task),
        status=_status(task, approvals, hitl=hitl),
        history=tuple(history if history_length is None else history[-history_length:]) or None,
        artifacts=tuple(artifacts) or None,
    )


def history_of(task: Task, approvals: Sequence[Approval], *, hitl: bool = False) -> list[Message]:
    """Who said what: what was asked for, then each question with the answer to it."""
    said = [_asked_for(task)]
    for approval in approvals:
        if approval.state is not ApprovalState.OPEN:
            said.append(question(approval, context_of(task), hitl=hitl))
        if approval.state is ApprovalState.ANSWERED:
            said.append(_reply(approval, context_of(task)))
    return said


def question(approval: Approval, context: str, *, hitl: bool = False) -> Message:
    """What the agent asks."""
    offered = "".join(f"\n- {option.id}: {option.label}" for option in approval.options)
    text = f"{approval.prompt}\n{offered}" if offered else approval.prompt
    request = request_of(approval) if hitl else None
    return evolve(
        words(approval.id, approval.task, context, text),
        metadata={HITL: request} if request else None,
        extensions=(HITL,) if request else (),
    )


def words(id: str, task: str, context: str, text: str) -> Message:
    """The agent says something."""
    part = Part(content=Text(text))
    return Message(message_id=id, role=Role.AGENT, parts=(part,), context_id=context, task_id=task)


def data_message(id: str, task: str, context: str, data: Any) -> Message:
    """The agent says something in JSON."""
    part = Part(content=Data(data))
    return Message(message_id=id, role=Role.AGENT, parts=(part,), context_id=context, task_id=task)


def asking_state(approvals: Sequence[Approval]) -> TaskState:
    """What a task waits for that asks these."""
    if any(each.kind is ApprovalKind.AUTH for each in approvals):
        return TaskState.AUTH_REQUIRED
    return TaskState.INPUT_REQUIRED


def ended_state(state: str, reason: object) -> TaskState:
    """How a task ended."""
    if state == State.FAILED:
        return TaskState.REJECTED if reason == _REJECTED else TaskState.FAILED
    return TaskState.COMPLETED if state == State.COMPLETED else TaskState.CANCELED


def answer_of(task: Task, told: Shown) -> Message | None:
    """What the agent said, if it did nothing else: then nobody has to know of a task."""
    if task.state is not State.COMPLETED or task.reason != _ANSWERED or told.artifacts:
        return None
    return told.status.message and evolve(told.status.message, task_id=None)


def state_of(task: Task, open: Sequence[Approval]) -> TaskState:
    """How a task stands that asks these."""
    match task.state:
        case State.PENDING:  # whoever saw it at work need not know that it changes hands
            return TaskState.SUBMITTED if task.grant is None else TaskState.WORKING
        case State.RUNNING:
            return TaskState.WORKING
        case State.INPUT_REQUIRED:
            return asking_state(open)
        case _:
            return ended_state(task.state, task.reason)


def _status(task: Task, approvals: Sequence[Approval], *, hitl: bool) -> TaskStatus:
    context = context_of(task)
    message = None
    open = [each for each in approvals if each.state is ApprovalState.OPEN]
    if task.state is State.INPUT_REQUIRED:
        message = question(open[-1], context, hitl=hitl) if open else None
    elif task.ended:
        last = task.result if task.state is State.COMPLETED else task.error
        message = words(f"{task.id}.end", task.id, context, last) if last else None
    return TaskStatus(state=state_of(task, open), message=message, timestamp=task.since)


def _asked_for(task: Task) -> Message:
    """The message that the task was made of; what was asked for elsewhere is told in words."""
    context, kept = context_of(task), task.spec.metadata.get(KEPT)
    message = _kept(kept.get("message")) if isinstance(kept, Mapping) else None
    if message is None:
        return _user(f"{task.id}.prompt", task.id, context, task.spec.prompt)
    return evolve(message, task_id=task.id, context_id=context)


def _reply(approval: Approval, context: str) -> Message:
    if (message := _kept(approval.reply)) is not None:
        return evolve(message, task_id=approval.task, context_id=context)
    chosen = next((option.label for option in approval.options if option.id == approval.choice), "")
    text = "\n".join(word for word in (chosen, approval.text) if word)
    return _user(f"{approval.id}.reply", approval.task, context, text)


def _kept(value: object) -> Message | None:
    """A message as we keep them; ``None`` for what is none: others may keep what they like in the same place."""
    try:
        return V1.parse(Message, value)
    except Invalid:
        return None


def _user(id: str, task: str, context: str, text: str) -> Message:
    return evolve(words(id, task, context, text), role=Role.USER)
