"""The tasks extension (``io.modelcontextprotocol/tasks``): our tasks under their own ids, in its words.

What an agent asks becomes a form to fill in, one for each question, named by the question's id, which never comes
again. A run that failed is a result that says so; ``failed`` is kept for what went wrong on our side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from codetether_adapters.mcp.caller import Exchange
from codetether_adapters.mcp.clipping import WORDS, clipped
from codetether_adapters.mcp.hub import Hub
from codetether_adapters.mcp.served import INVALID_PARAMS, Refused
from codetether_adapters.mcp.tasks import POLL_MS, standing
from codetether_core.approvals import Approval, ApprovalKind, ApprovalState
from codetether_core.codec import timestamp
from codetether_core.errors import AlreadyAnswered, Conflict, IllegalTransition, Invalid, NotFound, StaleLease
from codetether_core.tasks import Task, TaskState

__all__ = [
    "EXTENSION",
    "answered",
    "cancelled",
    "declared",
    "handle",
    "known_task",
    "open_questions",
    "requests_for",
    "require_declared",
    "standing_of",
    "takes_forms",
]

EXTENSION: Final = "io.modelcontextprotocol/tasks"

_STATUS: Final[Mapping[TaskState, str]] = {
    TaskState.PENDING: "working",
    TaskState.RUNNING: "working",
    TaskState.INPUT_REQUIRED: "input_required",
    TaskState.COMPLETED: "completed",
    TaskState.FAILED: "completed",
    TaskState.CANCELLED: "cancelled",
}
_OUR_SIDE: Final = frozenset({"worker_lost"})
_INTERNAL: Final = -32603
_MISSING_CAPABILITY: Final = -32021
_CHOICE, _ANSWER = "choice", "answer"
_QUESTIONS: Final = 20
_DONE: Final[Mapping[str, Any]] = {"resultType": "complete"}


def declared(exchange: Exchange) -> bool:
    """Whether the client knows the extension."""
    extensions = exchange.capabilities.get("extensions")
    return isinstance(extensions, Mapping) and EXTENSION in extensions


def require_declared(exchange: Exchange) -> None:
    """``Refused`` for a client that does not know the extension."""
    if not declared(exchange):
        needed: Mapping[str, Any] = {"requiredCapabilities": {"extensions": {EXTENSION: {}}}}
        raise Refused(_MISSING_CAPABILITY, f"The client has not declared {EXTENSION}", needed)


def takes_forms(exchange: Exchange) -> bool:
    """Whether the client can have its user fill in a form; one that names no way of asking means this one."""
    ways = exchange.capabilities.get("elicitation")
    return isinstance(ways, Mapping) and ("form" in ways or "url" not in ways)


async def known_task(hub: Hub, exchange: Exchange, id: str) -> Task:
    """A task of the caller's; ``Refused`` in the same words for one that is another's."""
    try:
        if "\0" in id:
            raise NotFound("task", id)
        return await hub.task(exchange, id)
    except NotFound:
        raise Refused(INVALID_PARAMS, "Unknown task", {"taskId": id}) from None


def handle(task: Task) -> Mapping[str, Any]:
    """What a tool answers in place of a result that is not there yet."""
    return {"resultType": "task", **_envelope(task, _STATUS[task.state])}


async def open_questions(hub: Hub, exchange: Exchange, task: Task) -> Sequence[Approval]:
    """What its agent asks, of a client that can put it to its user; else nothing."""
    if task.state is not TaskState.INPUT_REQUIRED or not takes_forms(exchange):
        return ()
    return await hub.services.questions.find(
        exchange.principal, task=task.id, state=ApprovalState.OPEN, limit=_QUESTIONS
    )


def standing_of(task: Task, questions: Sequence[Approval], result: Mapping[str, Any]) -> Mapping[str, Any]:
    """How it stands, with its ``result``, which is that of the tool, once it has ended."""
    status = _STATUS[task.state]
    if task.state is TaskState.INPUT_REQUIRED and not questions:
        status = "working"  # nothing that this client could do
    if task.state is TaskState.FAILED and task.reason in _OUR_SIDE:
        error = {"code": _INTERNAL, "message": clipped(task.error or "The worker was lost", WORDS)}
        return {**_DONE, **_envelope(task, "failed"), "error": error}
    shown = {**_DONE, **_envelope(task, status)}
    if status == "input_required":
        return {**shown, "inputRequests": requests_for(questions)}
    return {**shown, "result": result} if status == "completed" else shown


def requests_for(questions: Sequence[Approval]) -> Mapping[str, Any]:
    """A form for each, by its id."""
    return {each.id: _request(each) for each in questions}


async def answered(hub: Hub, exchange: Exchange, task: Task, answers: Mapping[str, Any]) -> Mapping[str, Any]:
    """Take the answers to what is still asked; what was answered already, or is not asked, changes nothing."""
    for approval in await hub.services.questions.find(
        exchange.principal, task=task.id, state=ApprovalState.OPEN, limit=_QUESTIONS
    ):
        given = answers.get(approval.id)
        if not isinstance(given, Mapping):
            continue
        choice, text = _meant(approval, given)
        if choice is None and text is None:
            continue
        try:
            await hub.services.questions.answer(exchange.principal, approval.id, choice=choice, text=text)
        except (AlreadyAnswered, IllegalTransition, StaleLease):
            continue
        except Invalid as error:
            raise Refused(INVALID_PARAMS, error.message, {"inputRequest": approval.id}) from None
    return _DONE


async def cancelled(hub: Hub, exchange: Exchange, task: Task) -> Mapping[str, Any]:
    """Ask for its end; one that has ended stays as it is."""
    if not task.ended:
        try:
            await hub.services.submission.cancel(exchange.principal, task.id)
        except Conflict:  # it ended by itself meanwhile
            return _DONE
    return _DONE


def _envelope(task: Task, status: str) -> Mapping[str, Any]:
    return {
        "taskId": task.id,
        "status": status,
        "statusMessage": standing(task),
        "createdAt": timestamp(task.created_at),
        "lastUpdatedAt": timestamp(task.updated_at),
        "ttlMs": None,
        "pollIntervalMs": POLL_MS,
    }


def _request(approval: Approval) -> Mapping[str, Any]:
    name, member = _ANSWER, dict[str, Any](type="string", title="Your answer", minLength=1)
    if approval.options:
        options = [{"const": each.id, "title": clipped(each.label)} for each in approval.options]
        name, member = _CHOICE, {"type": "string", "title": "Your choice", "oneOf": options}
    schema = {"type": "object", "properties": {name: member}, "required": [name]}
    params = {"mode": "form", "message": clipped(approval.prompt, WORDS), "requestedSchema": schema}
    return {"method": "elicitation/create", "params": params}


def _meant(approval: Approval, given: Mapping[str, Any]) -> tuple[str | None, str | None]:
    """The choice or the words; neither from somebody who has not decided. Who declines gives no leave."""
    if given.get("action") == "decline" and approval.kind is ApprovalKind.PERMISSION and approval.refusal:
        return approval.refusal.id, None
    content = given.get("content")
    if given.get("action") != "accept" or not isinstance(content, Mapping):
        return None, None
    value = content.get(_CHOICE if approval.options else _ANSWER)
    if not isinstance(value, str) or "\0" in value:
        raise Refused(INVALID_PARAMS, "The answer does not fit what was asked", {"inputRequest": approval.id})
    return (value, None) if approval.options else (None, value)
