"""Sessions: told by workers, read by anybody, resumed as tasks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

from attrs import evolve, frozen

from codetether_core.access import Principal
from codetether_core.errors import Erased, NotFound
from codetether_core.events import Event, Topic
from codetether_core.ids import CodebaseId, SessionId
from codetether_core.ports import Clock, CodebaseStore, SessionQuery, SessionStore
from codetether_core.services.submission import Submission
from codetether_core.services.swapping import until_swapped
from codetether_core.services.transcripts import Transcripts
from codetether_core.sessions import Session, SessionMessage
from codetether_core.tasks import ANYWHERE, Task, TaskSpec

__all__ = ["Conversation"]


@frozen
class Conversation:
    """History that stays readable when no worker is there."""

    sessions: SessionStore
    codebases: CodebaseStore
    submission: Submission
    transcripts: Transcripts
    clock: Clock

    async def find(self, principal: Principal, query: SessionQuery) -> tuple[Sequence[Session], int]:
        """Sessions, and how many there are in all; ``NotFound`` for an unknown codebase."""
        if query.codebase is not None:
            await self._known(principal, query.codebase)
        return await self.sessions.list(principal.tenant, query)

    async def get(self, principal: Principal, codebase: CodebaseId, id: SessionId) -> Session:
        """One session; ``NotFound``."""
        return await self.sessions.get(principal.tenant, codebase, id)

    async def messages(
        self, principal: Principal, codebase: CodebaseId, id: SessionId, *, limit: int, after: int = 0
    ) -> tuple[Sequence[SessionMessage], int]:
        """A session's messages in order, and how many there are in all."""
        return await self.transcripts.messages(principal.tenant, codebase, id, limit=limit, after=after)

    async def sync(self, principal: Principal, codebase: CodebaseId, told: Sequence[Session]) -> int:
        """Keep sessions as a worker tells them; ``NotFound`` for an unknown codebase.

        What is told again unchanged, as workers do every minute, is no event. What was erased is passed over: workers
        go on telling what is on their disks, and need not know.
        """
        await self._known(principal, codebase)
        for session in told:
            with suppress(Erased):
                await self._keep(session, _merged, quiet=True)
        return len(told)

    async def tell(self, principal: Principal, session: Session, messages: Sequence[SessionMessage]) -> None:
        """Keep messages as a worker tells them: as ``upsert``, but what was erased is passed over."""
        with suppress(Erased):
            await self.upsert(principal, session, messages)

    async def upsert(self, principal: Principal, session: Session, messages: Sequence[SessionMessage]) -> Session:
        """Keep messages, each over the one with its id; what this telling leaves out is kept, the user's prompt too.

        ``NotFound`` for an unknown codebase, ``Erased``.
        """
        await self._known(principal, session.codebase)
        return await self._keep(session, _merged, messages)

    async def resume(
        self,
        principal: Principal,
        codebase: CodebaseId,
        id: SessionId,
        *,
        prompt: str,
        agent: str = "build",
        model: str | None = None,
        title: str = "",
        priority: int = 0,
        key: str = "",
    ) -> Task:
        """A task that goes on with a session we know; ``NotFound`` otherwise. Its history has the prompt at once."""
        session = await self.sessions.get(principal.tenant, codebase, id)
        spec = TaskSpec(
            codebase=codebase,
            title=title or prompt[:80] or f"Resume {session.title or id}",
            prompt=prompt,
            agent_type=agent,
            model=model,
            priority=priority,
            metadata={"resume_session_id": id},
        )
        task = await self.submission.submit(principal, spec, key=key)
        if prompt:
            said = SessionMessage(
                id=f"prompt_{task.id}",
                session=id,
                role="user",
                created_at=task.created_at,
                agent=agent,
                model=model,
                parts=({"type": "text", "text": prompt},),
            )
            await self._keep(session, self._touched, (said,))
        return task

    async def _known(self, principal: Principal, codebase: CodebaseId) -> None:
        if codebase not in ANYWHERE:
            await self.codebases.get(principal.tenant, codebase)

    async def _keep(
        self,
        told: Session,
        verb: Callable[[Session | None, Session], Session],
        messages: Sequence[SessionMessage] = (),
        *,
        quiet: bool = False,
    ) -> Session:
        """Swap what is stored for what the verb makes of it and of what is told; ``quiet``: only news are an event."""

        async def attempt() -> Session:
            try:
                known = await self.sessions.get(told.tenant, told.codebase, told.id)
            except NotFound:
                known = None
            new = verb(known, told)
            if messages:
                new = evolve(new, loose=True)
            events = [] if quiet and _unchanged(known, new) else [_event(new, len(messages))]
            await self.sessions.put(known, new, messages, events)
            return new

        return await until_swapped(attempt, "session", told.id)

    def _touched(self, known: Session | None, told: Session) -> Session:
        session = known or told
        return evolve(session, updated_at=max(self.clock.now(), session.updated_at), version=session.version + 1)


def _merged(known: Session | None, told: Session) -> Session:
    """What we know now: a session told before keeps what this telling does not mention."""
    if known is None:
        return told
    return evolve(
        known,
        title=told.title or known.title,
        directory=told.directory or known.directory,
        project=told.project or known.project,
        worker=told.worker or known.worker,
        agent=told.agent or known.agent,
        created_at=min(told.created_at, known.created_at),
        updated_at=max(told.updated_at, known.updated_at),
        synced_at=told.synced_at,
        source=told.source,
        details={**known.details, **told.details},
        version=known.version + 1,
    )


def _unchanged(known: Session | None, new: Session) -> bool:
    """Whether the telling brought nothing but its own moment."""
    return known is not None and evolve(known, synced_at=new.synced_at, version=new.version) == new


def _event(session: Session, messages: int) -> Event:
    topic = Topic.session(session.tenant, session.codebase, session.id)
    data = {
        "session_id": session.id,
        "codebase_id": session.codebase,
        "title": session.title,
        "messages": messages,
    }
    return Event(topic, "session.synced", session.synced_at, data)
