"""A task as a stream: first the task as it stands, then what happens to it, to its end.

What was made before is told as well, so that the reader has all artifacts; how the task stood meanwhile is not. Who
comes back with the id of an event gets what follows it and no task.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from attrs import evolve, frozen

from codetether_adapters.a2a.agent import Agent
from codetether_adapters.a2a.artifacts import pieces_of
from codetether_adapters.a2a.hitl import HITL
from codetether_adapters.a2a.place import Place
from codetether_adapters.a2a.records import Left, Teller
from codetether_adapters.a2a.request import Request
from codetether_adapters.a2a.telling import context_of
from codetether_adapters.a2a.views import view
from codetether_adapters.a2a_wire.dialect import Dialect
from codetether_adapters.a2a_wire.encoding import encode
from codetether_adapters.a2a_wire.values import ArtifactUpdate, StatusUpdate, TaskState, Update
from codetether_core.errors import Unavailable
from codetether_core.events import TASK_ERASED, Cursor, Page, Record, Topic
from codetether_core.services import TASK_KINDS, Resync
from codetether_core.tasks import Task

__all__ = ["Frame", "Frames", "follow", "known_records", "topic_of"]

_INLINE: Final = 3 * 1024 * 1024
"""Of what a task that has ended made, that much is told with it: some clients take no event of more than 4 MiB."""

_ATTEMPT: Final = "a2a attempt"
_KINDS: Final = (*TASK_KINDS, TASK_ERASED)


@frozen
class Frame:
    """An event as JSON; with the place behind it where it is the last of its record."""

    body: bytes
    place: str | None = None


Frames = AsyncGenerator[Frame | None, None]
"""Events, and ``None`` for a sign of life."""


def topic_of(task: Task) -> Topic:
    """Where the task's events are."""
    return Topic.task(task.tenant, task.spec.codebase, task.id)


async def known_records(agent: Agent, task: Task) -> int:
    """How many records the task has: those up to here are in any value of it that is read afterwards."""
    last = await agent.services.backend.log.latest(topic_of(task), TASK_KINDS, 1)
    return last[-1].number if last else 0


async def follow(
    agent: Agent, request: Request, dialect: Dialect, task: Task, *, known: int, after: Place | None, stays: bool
) -> Frames:
    """What a reader is told of the task, of whose records ``known`` are in it. It ``stays`` when something is asked."""
    reader = _Reader(
        agent, request, dialect, task, Teller(task.id, context_of(task), HITL in request.extensions), stays
    )
    begun = after is None
    if after is None:
        yield await reader.snapshot(task)
        if reader.teller.ended:
            return
    else:
        reader.teller.printing = after.printing
    async with aclosing(_pages(agent, task, after.cursor if after else None)) as pages:
        async for page in pages:
            if isinstance(page, Resync):
                if begun:
                    raise Unavailable("The log was begun anew", hint="subscribe again")
                begun, known = True, await known_records(agent, task)
                yield await reader.snapshot(await agent.task(request.principal, task.id))
                if reader.teller.ended:
                    return
                continue
            for record in page.records:
                if record.kind == TASK_ERASED:  # with whatever was not told yet
                    return
                frames = reader.frames(record, page.cursor.epoch, statuses=record.number > known)
                async with aclosing(frames) as source:
                    async for frame in source:
                        yield frame
                if reader.done:
                    return
            if not page.records:
                yield None
            elif not page.more and reader.waits:
                return


async def _pages(agent: Agent, task: Task, after: Cursor | None) -> AsyncGenerator[Page | Resync, None]:
    """What the log has of the task; of one that has ended there is no more to wait for."""
    watching, topic = agent.services.watching, topic_of(task)
    if task.ended:
        source = watching.replay(topic, after, kinds=_KINDS)
    else:
        source = watching.follow(topic, after, from_start=True, kinds=_KINDS, beat=agent.beat)
    async with aclosing(source) as pages:
        async for page in pages:
            yield page


@frozen(eq=False)
class _Reader:
    agent: Agent
    request: Request
    dialect: Dialect
    task: Task
    teller: Teller
    stays: bool

    @property
    def waits(self) -> bool:
        """Whether it is the reader's turn to say something."""
        return not self.stays and self.teller.state is TaskState.INPUT_REQUIRED

    @property
    def done(self) -> bool:
        """Whether nothing follows."""
        return self.teller.ended or self.teller.final

    async def snapshot(self, task: Task) -> Frame:
        """The task as it stands: without what it made, which is told piece by piece, unless nothing follows."""
        shown = await view(self.agent, self.request, task, artifacts=task.ended, inline=_INLINE)
        self.teller.state, self.teller.printing = shown.status.state, 0
        return Frame(encode(self.dialect.event(shown)))

    async def frames(self, record: Record, epoch: str, *, statuses: bool) -> AsyncGenerator[Frame, None]:
        """What the record comes to: of a file, which may be large, no more than two pieces are held at once."""
        last = self._shared(record)
        if last is None:
            async with aclosing(self._bodies(record, statuses)) as bodies:
                async for body in bodies:
                    if last is not None:
                        yield Frame(last)
                    last = body
        if last is not None:
            yield Frame(last, str(Place(Cursor(epoch, record.position), self.teller.printing)))

    def _shared(self, record: Record) -> bytes | None:
        """A piece of output that was told to somebody else in the same words."""
        attempt = record.frames.get(_ATTEMPT)
        if attempt is None or not self._stands_alone(record):
            return None
        body = record.frames.get(self._words(append=self.teller.printing == int(attempt)))
        if body is not None:
            self.teller.told(int(attempt))
        return body

    def _stands_alone(self, record: Record) -> bool:
        """Whether it is told for no records before it: what is said then depends on the reader, and is not kept."""
        return self.teller.first in (0, record.number)

    def _words(self, *, append: bool) -> str:
        return f"a2a {self.dialect.name} {'more' if append else 'new'}"

    async def _bodies(self, record: Record, statuses: bool) -> AsyncGenerator[bytes, None]:
        alone = self._stands_alone(record)
        told = self.teller.tell(record, statuses=statuses)
        for each in told:
            if isinstance(each, Left):
                async with aclosing(self._pieces(each)) as pieces:
                    async for piece in pieces:
                        yield encode(self.dialect.event(piece))
                continue
            body = encode(self.dialect.event(self._marked(each)))
            if isinstance(each, ArtifactUpdate) and alone:
                record.frames[self._words(append=each.append)] = body
                record.frames[_ATTEMPT] = b"%d" % self.teller.printing
            yield body

    def _marked(self, update: Update) -> Update:
        """Release 0.3 says which event is the last."""
        if not isinstance(update, StatusUpdate):
            return update
        self.teller.final = self.teller.ended or self.waits
        return evolve(update, final=self.teller.final)

    async def _pieces(self, left: Left) -> AsyncGenerator[ArtifactUpdate, None]:
        """A file as it is now: if another has taken its place meanwhile, that one is told again in its own."""
        task = await self.agent.services.backend.tasks.get(self.task.tenant, self.task.id)
        file = next((each for each in task.artifacts if each.name == left.name), None)
        if file is None:
            return
        async with aclosing(pieces_of(self.agent, self.request, task, file)) as pieces:
            async for artifact, append, last in pieces:
                yield ArtifactUpdate(
                    task_id=task.id,
                    context_id=self.teller.context_id,
                    artifact=artifact,
                    append=append,
                    last_chunk=last,
                    metadata=left.metadata,
                )
