"""Where a message goes: into a new task, or as an answer to one that asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from attrs import frozen

from codetether_adapters.a2a.agent import Agent
from codetether_adapters.a2a.answering import replies_to
from codetether_adapters.a2a.bounds import history_length
from codetether_adapters.a2a.errors import PUSH_NOTIFICATION_NOT_SUPPORTED, UNSUPPORTED_OPERATION, Refused
from codetether_adapters.a2a.following import known_records
from codetether_adapters.a2a.request import Request
from codetether_adapters.a2a.routing import RESUMED, spec_of
from codetether_adapters.a2a.telling import context_of
from codetether_adapters.a2a_wire.v03 import V03
from codetether_adapters.a2a_wire.v1 import V1
from codetether_adapters.a2a_wire.values import Message, SendMessage
from codetether_core.approvals import ApprovalKind, ApprovalState
from codetether_core.errors import AlreadyAnswered, IdempotencyMismatch, Invalid, NotFound
from codetether_core.ids import CodebaseId, ContextId, SessionId, derived_id, new_id
from codetether_core.tasks import Task

__all__ = ["Delivered", "deliver"]

_LONGEST: Final = 255
_WEBHOOKS: Final[Mapping[str, str]] = {
    V1.name: "configuration.taskPushNotificationConfig",
    V03.name: "configuration.pushNotificationConfig",
}
_GIVE_LEAVE: Final = "approvals:write"
_MOST_ANSWERED: Final = 1_000
"""Among that many answers to a task, the latest, one that is sent again is known."""


@frozen
class Delivered:
    """The task that a message went to, and how many records it had before."""

    task: Task
    known: int = 0


async def deliver(agent: Agent, request: Request, asked: SendMessage, release: str) -> Delivered:
    """Hand the message over. ``Refused`` or ``Invalid`` changes nothing."""
    message = asked.message
    if not message.message_id:
        raise Invalid("message.messageId", "must not be empty")
    if len(message.context_id or "") > _LONGEST:
        raise Invalid("message.contextId", f"must have at most {_LONGEST} characters")
    history_length(asked.configuration.history_length, "configuration.historyLength")
    webhook = asked.configuration.push_config
    if webhook is not None and agent.push is None:
        raise Refused(PUSH_NOTIFICATION_NOT_SUPPORTED)
    if webhook is not None and agent.push is not None:
        task = await agent.task(request.principal, message.task_id) if message.task_id else None
        await agent.push.check(webhook, _WEBHOOKS[release], task)
    delivered = await (_answer if message.task_id else _submit)(agent, request, asked)
    if webhook is not None and agent.push is not None:
        await agent.push.create(request, delivered.task, webhook, release)
    return delivered


async def _submit(agent: Agent, request: Request, asked: SendMessage) -> Delivered:
    context = ContextId(asked.message.context_id or _new_context(agent, request))
    spec = spec_of(asked.message, asked.metadata or {}, context, agent.default_agent)
    if (session := spec.metadata.get(RESUMED)) is not None:
        await _check_session(agent, request, spec.codebase, SessionId(session))
    return Delivered(await agent.services.submission.submit(request.principal, spec, key=request.key))


async def _check_session(agent: Agent, request: Request, codebase: CodebaseId, session: SessionId) -> None:
    """A run could not go on with one that is not there."""
    try:
        await agent.services.conversation.get(request.principal, codebase, session)
    except NotFound:
        raise Invalid("message.metadata.session_id", "names no session of the codebase") from None


def _new_context(agent: Agent, request: Request) -> str:
    """The same one for the same key, so that a message that is sent again asks for the same."""
    if request.key:
        return derived_id("ctx", request.principal.tenant, request.principal.name, request.key)
    return new_id("ctx", agent.services.clock.now(), agent.services.entropy.bytes(16))


async def _answer(agent: Agent, request: Request, asked: SendMessage) -> Delivered:
    principal, message, questions = request.principal, asked.message, agent.services.questions
    task = await agent.task(principal, message.task_id or "")
    key = derived_id("rep", task.tenant, principal.name, task.id, request.key) if request.key else None
    known = await known_records(agent, task)
    open = await questions.find(principal, task=task.id, state=ApprovalState.OPEN)
    again = key is not None and await _is_answered(agent, request, task, key, message)
    if not again:
        _check(task, message)
    replies = replies_to(open[::-1], message, again=again)
    if any(reply.approval.kind is ApprovalKind.PERMISSION for reply in replies):
        await agent.authorizer.authorize(principal, _GIVE_LEAVE)
    for reply in replies:
        id = reply.approval.id
        try:
            await questions.answer(
                principal, id, choice=reply.choice, text=reply.text, reply=V1.dump(message), reply_key=key
            )
        except AlreadyAnswered:  # unless by this message, sent twice at once
            if key is None or (await questions.get(principal, id)).reply_key != key:
                raise
    return Delivered(await agent.services.backend.tasks.get(task.tenant, task.id), 0 if again else known)


async def _is_answered(agent: Agent, request: Request, task: Task, key: str, message: Message) -> bool:
    """Whether the message answered the task before; ``IdempotencyMismatch`` if another one of the same key did.

    To be asked once it is known what is open: so an answer that came just before is seen here, and one that comes
    later was to a question that is known as open.
    """
    answered = await agent.services.questions.find(
        request.principal, task=task.id, state=ApprovalState.ANSWERED, limit=_MOST_ANSWERED
    )
    first = next((each for each in answered if each.reply_key == key), None)
    if first is not None and first.reply != V1.dump(message):
        raise IdempotencyMismatch("This Idempotency-Key was used for another answer", hint="use a new key", id=first.id)
    return first is not None


def _check(task: Task, message: Message) -> None:
    """The message has to be about this task, and the task has to wait for one."""
    if message.context_id and message.context_id != context_of(task):
        raise Invalid("message.contextId", "is not that of the task")
    if task.ended:
        problem = "The task has ended: send the message without taskId, in the same context, to go on from there"
    elif not task.awaiting:
        problem = "The task asks nothing: wait until it does, or send the message without taskId in the same context"
    else:
        return
    raise Refused(UNSUPPORTED_OPERATION, problem, taskId=task.id, state=task.state.value)
