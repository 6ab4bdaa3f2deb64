"""One task at an agent elsewhere: given, watched, its questions brought here and the answers there, and its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from functools import partial
from typing import Final

from attrs import define, evolve, field

from codetether_adapters.a2a_wire.dialect import Happening
from codetether_adapters.a2a_wire.values import (
    INTERRUPTED,
    TERMINAL,
    ArtifactUpdate,
    Message,
    StatusUpdate,
    Subscribe,
    Task,
    TaskState,
    TaskStatus,
)
from codetether_adapters.peers.asking import Asking, has_heard
from codetether_adapters.peers.endings import failed, failure_of, unknown
from codetether_adapters.peers.failures import Lost, NotTaken, Refused
from codetether_adapters.peers.reporting import Reporting
from codetether_adapters.peers.saying import UNSUPPORTED, Saying
from codetether_adapters.peers.words import said_in, saying
from codetether_core.approvals import ApprovalKind
from codetether_core.ids import digest
from codetether_core.ports import Holder, Order, RunFailed, RunOutcome
from codetether_core.tasks import Delegation

__all__ = ["Errand"]

_LONGEST: Final = 1000
"""Characters of what an agent may call a task, or a conversation."""

_INVALID_PARAMS: Final = -32602
_MOST_QUESTIONS: Final = 100
_REST: Final = 4
"""How many times as long as a look took nobody looks again."""

_NOTHING_KNOWN: Final = TaskStatus(state=TaskState.UNSPECIFIED)


@define(eq=False, kw_only=True)
class Errand:
    """``run`` is all of it; how it stands at the agent is known as far as the agent has told us."""

    order: Order
    holder: Holder
    asking: Asking
    reporting: Reporting
    _saying: Saying = field(init=False)
    _status: TaskStatus = field(default=_NOTHING_KNOWN, init=False)
    _settled: TaskStatus | None = field(default=None, init=False)
    _reply: Message | None = field(default=None, init=False)
    _questions: int = field(default=0, init=False)
    _not_taken: list[str] = field(factory=list, init=False)
    _patchy: bool = field(default=False, init=False)
    _look_from: datetime | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self._saying = Saying(self.asking)

    async def run(self) -> RunOutcome:
        """To the end; ``RunFailed``."""
        source = await self._begun()
        while True:
            await self._follow(source)
            if self._reply is not None:
                return RunOutcome(result=said_in(self._reply.parts))
            if self._status.state in TERMINAL:
                return await self._ended()
            source = await self._replied() if self._asks else self._watched()

    @property
    def _asks(self) -> bool:
        """Whether it waits for an answer that it has not been given."""
        return self._status.state in INTERRUPTED and not _same(self._status, self._settled)

    async def _follow(self, source: AsyncGenerator[Happening, None]) -> None:
        """Hear what comes, until the agent answers, asks or ends; or until the source does."""
        try:
            async with aclosing(source):
                async for happening in source:
                    await self._hear(happening)
                    if self._reply is not None or self._status.state in TERMINAL or self._asks:
                        return
        except (Lost, NotTaken) as error:
            await self.reporting.trouble(f"{self.order.agent} is out of reach: {error}")
        except Refused as refusal:
            raise failure_of(self.order.agent, refusal) from None
        await self.asking.pauses.rest()

    async def _hear(self, happening: Happening) -> None:
        match happening:
            case Message() if self._id is None:
                self._reply = happening
            case Message():
                await self.reporting.words(happening)
            case Task():
                await self._note(happening.id, happening.context_id)
                await self.reporting.artifacts(happening.artifacts or ())
                await self._stand(happening.status)
            case StatusUpdate():
                await self._note(happening.task_id, happening.context_id)
                await self._stand(happening.status)
            case ArtifactUpdate():
                await self._note(happening.task_id, happening.context_id)
                await self._made(happening)
                self.asking.pauses.begin_anew()

    async def _stand(self, status: TaskStatus) -> None:
        if not _same(status, self._status):
            self.asking.pauses.begin_anew()
            self._not_taken.clear()
            if status.message is not None and status.state not in INTERRUPTED | TERMINAL:
                await self.reporting.words(status.message)
        if status.state not in INTERRUPTED:
            self._settled = None
        self._status = status

    async def _made(self, update: ArtifactUpdate) -> None:
        """Tell what it brings. What a stream tells that was joined may be in the task as we had it before: then the
        task itself says what is new, looked at now and then, and last when it has ended.
        """
        if not (self._patchy and update.append):
            await self.reporting.update(update)
            return
        now = self.asking.pauses.clock.now
        begun = now()
        if self._look_from is None or begun >= self._look_from:
            await self.reporting.artifacts((await self._asked()).artifacts or ())
            ended = now()
            self._look_from = ended + _REST * (ended - begun)

    @property
    def _id(self) -> str | None:
        return self.holder.delegation.task if self.holder.delegation else None

    async def _note(self, id: str, context: str | None) -> None:
        """What the agent calls the task is noted as soon as it says so."""
        known = self.holder.delegation
        if known is not None and known.task is None:
            if max(len(id), len(context or "")) > _LONGEST:
                raise Refused(0, f"it calls the task by more than {_LONGEST:,} characters")
            await self.holder.note(evolve(known, task=id, context=context or known.context))

    async def _begun(self) -> AsyncGenerator[Happening, None]:
        """Give the task, or go on with what an earlier holder of it gave."""
        known, order = self.holder.delegation, self.order
        if known is None or known.agent != order.agent:
            known = Delegation(agent=order.agent, message=order.task, context=order.context)
        if known.task is not None:
            return self._watched()
        if known.tried and not order.peer.idempotent:
            found = await self.asking.taken(known.message, known.context)
            if found is None:
                raise unknown(order.agent)
            return _alone(found)
        message = saying(known.message, order.prompt, context=known.context, metadata=order.metadata or None)
        return self._saying.say(message, self._given, None if known.tried else partial(self._tried, known))

    async def _tried(self, given: Delegation, tried: bool) -> None:
        """Noted before the agent may hear of it, and taken back when it is sure that it has not."""
        await self.holder.note(evolve(given, tried=tried))

    async def _given(self, refusal: Refused | None) -> Task | None:
        """What has come of the message that gives the task."""
        known, agent = self.holder.delegation, self.order.agent
        if refusal is not None:
            raise failure_of(agent, refusal)
        found = await self.asking.taken(known.message, known.context) if known else None
        if found is None and not self.order.peer.idempotent:
            raise unknown(agent)
        return found

    async def _watched(self) -> AsyncGenerator[Happening, None]:
        """The task as it stands, then what happens, if the agent tells it."""
        id = self._known_id()
        yield await self.asking.task(id)
        if not self._saying.streams:
            return
        self._patchy = True
        calls = self.asking.calls
        try:
            async with aclosing(calls.stream("subscribe", calls.dialect.dump(Subscribe(id=id)))) as source:
                async for happening in source:
                    yield happening
        except Refused as refusal:  # it may have ended meanwhile, which is asked next
            self._saying.streams = refusal.code not in UNSUPPORTED

    async def _replied(self) -> AsyncGenerator[Happening, None]:
        """Bring the agent's question here, and what people say to it there; unless the agent goes on by itself."""
        status, question = self._status, self._status.message
        prompt = (said_in(question.parts) if question else "") or f"{self.order.agent} asks for more."
        kind = ApprovalKind.AUTH if status.state is TaskState.AUTH_REQUIRED else ApprovalKind.QUESTION
        self._questions += 1
        if self._questions > _MOST_QUESTIONS:
            raise RunFailed(f"{self.order.agent} asks more than {_MOST_QUESTIONS} questions", "peer_refused")
        told = [question.message_id if question else "", str(status.timestamp)]
        known_by = told if told[0] or status.timestamp else [str(self._questions), prompt]
        id = digest(self.order.task, *known_by, *("again" for _ in self._not_taken))
        prompt = "\n\n".join((*self._not_taken[-1:], prompt))
        answer = asyncio.ensure_future(self.holder.ask(prompt, kind, id))
        moved = asyncio.ensure_future(self._moved(status))
        try:
            await asyncio.wait({answer, moved}, return_when=asyncio.FIRST_COMPLETED)
            self._settled = status
            if not answer.done():
                moved.result()
                return self._watched()
            known = self.holder.delegation
            context = known.context if known else self.order.context
            message = saying(id, answer.result(), context=context, task=self._id)
        finally:
            for each in (answer, moved):
                each.cancel()
            await asyncio.gather(answer, moved, return_exceptions=True)
        return self._saying.say(message, lambda refusal: self._heard_reply(id, status, refusal))

    async def _heard_reply(self, id: str, asked: TaskStatus, refusal: Refused | None) -> Task | None:
        """What has come of an answer: where the question still stands, and nothing was heard, it has not arrived. One
        that does not fit may be in what was said, and is none.
        """
        task = await self._asked(history=True)
        if not _same(task.status, asked):
            return task
        if refusal is not None and refusal.code == _INVALID_PARAMS:
            return await self._to_ask_again(task, refusal)
        if has_heard(task, id):
            return task
        if refusal is not None:
            raise failure_of(self.order.agent, refusal)
        knowable = self.order.peer.idempotent or task.history  # who tells nothing of what was said may have heard it
        return None if knowable else task

    async def _to_ask_again(self, task: Task, refusal: Refused) -> Task:
        """The task, whose question is as good as new: who is asked again learns why, and has another answer."""
        self._not_taken.append(f"{self.order.agent} does not take the answer: {refusal}")
        self._settled = None
        await self.reporting.trouble(self._not_taken[-1])
        return task

    async def _moved(self, asked: TaskStatus) -> None:
        """Return once the agent no longer asks that."""
        while True:
            await self.asking.pauses.rest()
            if not _same((await self._asked()).status, asked):
                return

    async def _ended(self) -> RunOutcome:
        """The outcome, once all is told that the task has; it is known also where that cannot be had."""
        if self._patchy or self.reporting.has_files:
            try:
                task = await self.asking.answer(partial(self.asking.task, self._known_id()))
                await self.reporting.whole(task.artifacts or ())
            except Refused as refusal:
                await self.reporting.trouble(f"What {self.order.agent} made is not all here: {refusal}")
        said = said_in(self._status.message.parts) if self._status.message else ""
        if self._status.state is not TaskState.COMPLETED:
            raise failed(self.order.agent, self._status.state, said)
        return RunOutcome(result=said or self.reporting.text)

    async def _asked(self, *, history: bool = False) -> Task:
        """The task, whenever the agent answers."""
        id = self._known_id()
        try:
            return await self.asking.answer(lambda: self.asking.task(id, history=history))
        except Refused as refusal:
            raise failure_of(self.order.agent, refusal) from None

    def _known_id(self) -> str:
        if self._id is None:
            raise unknown(self.order.agent)
        return self._id


def _same(one: TaskStatus, other: TaskStatus | None) -> bool:
    """Whether they are one and the same."""
    if other is None:
        return False
    said = [each.message.message_id if each.message else None for each in (one, other)]
    return (one.state, one.timestamp, said[0]) == (other.state, other.timestamp, said[1])


async def _alone(task: Task) -> AsyncGenerator[Happening, None]:
    yield task
