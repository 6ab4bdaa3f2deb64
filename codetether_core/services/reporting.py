"""What the holder of a task says: started, still here, output, an outcome, stopped; ``asking`` has its questions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from attrs import evolve, frozen

from codetether_core.access import Principal
from codetether_core.errors import StaleLease, VersionConflict
from codetether_core.ids import SessionId, TaskId, TenantId, WorkerId
from codetether_core.ports import Clock, Entropy, TaskStore
from codetether_core.services.claiming import Claiming
from codetether_core.services.redaction import Redaction
from codetether_core.services.task_writer import TaskWriter
from codetether_core.services.telling import Speech, Telling
from codetether_core.tasks import (
    Delegation,
    LeaseTerms,
    OutputChunk,
    Task,
    TaskState,
    Word,
    attend,
    backoff,
    complete,
    confirm_stop,
    delegate,
    fail,
    held_by,
    keep_evidence,
    lapse,
    may_trail,
    release,
    renew,
)

__all__ = ["TRAILING_GRACE", "Reporting"]

TRAILING_GRACE: Final = timedelta(seconds=60)
"""For how long after a cancel output is still taken, and a task's streams wait for it."""

_EVIDENCE_KEPT: Final = 16_384


@frozen
class Reporting:
    """A holder's words. Each carries the grant; a superseded one is refused with ``StaleLease``."""

    writer: TaskWriter
    claiming: Claiming
    tasks: TaskStore
    telling: Telling
    redaction: Redaction
    clock: Clock
    entropy: Entropy
    terms: LeaseTerms

    async def start(
        self,
        principal: Principal,
        word: Word,
        id: TaskId,
        *,
        session: SessionId | None = None,
        tokened: bool = False,
    ) -> Task:
        """The run has begun: claims a task that nobody holds, or that lapsed from another worker, else renews.

        A word with a token never claims: it speaks of a grant that was made, and that may be over. Notes the agent's
        session. With ``tokened`` a claim is made with a token, which the answer has to tell.
        """
        task = await self.tasks.get(principal.tenant, id)
        free = task.holder is None or task.holder.worker != word.worker
        if word.token is None and task.state is TaskState.PENDING and free:
            claimed = await self.claiming.claim(principal, word.worker, id, tokened=tokened)
            if session is None or claimed.grant is None:
                return claimed
            word = evolve(word, token=claimed.grant.token if tokened else None)
        return await self.renew(principal.tenant, word, id, session=session)

    async def renew(self, tenant: TenantId, word: Word, id: TaskId, *, session: SessionId | None = None) -> Task:
        """The holder is still at it."""
        return await self.writer.apply(
            tenant, id, lambda task: renew(task, word, self.clock.now(), self.terms, session=session)
        )

    async def output(
        self, tenant: TenantId, word: Word, id: TaskId, chunks: Sequence[OutputChunk], *, first: int | None = None
    ) -> Task:
        """Append output under the grant's fence; a batch that is sent again (same ``first``) changes nothing.

        For a short while after a cancel the burnt holder may still append, marked as such.
        """
        try:
            return await self._append(tenant, word, id, chunks, first)
        except StaleLease:  # the fence may have moved between the read and the append: a cancel marks what comes after
            return await self._append(tenant, word, id, chunks, first)

    async def delegate(self, tenant: TenantId, word: Word, id: TaskId, delegation: Delegation) -> Task:
        """The holder has given the task, or is about to give it, to an agent elsewhere."""
        return await self.writer.apply(
            tenant, id, lambda task: delegate(task, word, delegation, self.clock.now(), self.terms)
        )

    async def finish(self, tenant: TenantId, word: Word, id: TaskId) -> None:
        """Append what was held back of the output: nothing follows from this holder; ``StaleLease``."""
        if await self.telling.holds_back(tenant, id):
            await self.telling.finish(await self._speaking(tenant, word, id))

    async def complete(
        self,
        tenant: TenantId,
        word: Word,
        id: TaskId,
        result: str | None,
        *,
        reason: str | None = None,
        chunks: Sequence[OutputChunk] = (),
        first: int | None = None,
    ) -> Task:
        """The run succeeded, in the way of ``reason``; ``chunks`` are the last of its output, appended before that."""
        await self._last_output(tenant, word, id, chunks, first)
        told = (await self.redaction.of(tenant)).whole(result) if result else result

        def verb(task: Task, now: datetime) -> Task:
            return complete(task, word, now, self.terms, result=told, reason=reason)

        return await self._outcome(tenant, word, id, told or "", verb)

    async def fail(
        self,
        tenant: TenantId,
        word: Word,
        id: TaskId,
        error: str,
        *,
        reason: str = "agent_failed",
        retry: bool = False,
        chunks: Sequence[OutputChunk] = (),
        first: int | None = None,
    ) -> Task:
        """The run failed; with ``retry`` it is put off and tried again while attempts are left. ``chunks`` as above."""
        await self._last_output(tenant, word, id, chunks, first)
        draw, told = self.entropy.fraction(), (await self.redaction.of(tenant)).whole(error)

        def verb(task: Task, now: datetime) -> Task:
            after = backoff(task.charged + 1, draw) if retry else None
            return fail(task, word, now, self.terms, error=told, reason=reason, retry_after=after)

        return await self._outcome(tenant, word, id, told, verb)

    async def release(self, tenant: TenantId, word: Word, id: TaskId) -> Task:
        """The holder gives the task back; after an outcome by the same holder this changes nothing."""
        await self._last_output(tenant, word, id)

        def verb(task: Task) -> Task:
            if task.ended and task.grant is not None:
                task.grant.fence(word)
                return task
            return release(task, word, self.clock.now(), self.terms)

        return await self.writer.apply(tenant, id, verb)

    async def stopped(self, tenant: TenantId, word: Word, id: TaskId) -> Task:
        """Nothing of a cancelled run is left on the worker."""
        await self._last_output(tenant, word, id)
        return await self.writer.apply(tenant, id, lambda task: confirm_stop(task, word, self.clock.now()))

    async def attend(self, principal: Principal, worker: WorkerId) -> None:
        """The worker is seen alive: renews what it holds without a token, for a bounded time."""
        for held in await self.tasks.held(principal.tenant, worker):
            await self.writer.apply(
                principal.tenant,
                held.id,
                lambda task: attend(task, worker, principal.name, self.clock.now(), self.terms),
            )

    async def sign_off(self, principal: Principal, worker: WorkerId) -> None:
        """The worker leaves: what it holds without a token goes to others now, and no attempt is charged."""
        word = Word(worker=worker, principal=principal.name)
        await self._part(principal, worker, lambda task: release(task, word, self.clock.now(), self.terms))

    async def begin_anew(self, principal: Principal, worker: WorkerId) -> None:
        """The worker's process is a new one: what the one before held without a token has lapsed.

        A new process has the old one's name; its presence would go on renewing what nobody works at any more.
        """
        await self._part(principal, worker, lambda task: lapse(task, self.clock.now()))

    async def _part(self, principal: Principal, worker: WorkerId, verb: Callable[[Task], Task]) -> None:
        """Apply the verb to what the worker holds without a token, once all that it said of it is told."""
        tenant, word = principal.tenant, Word(worker=worker, principal=principal.name)

        def is_its(task: Task) -> bool:
            holder = None if task.lapsed else task.holder
            speaker = (worker, principal.name)
            return holder is not None and not holder.tokened and (holder.worker, holder.principal) == speaker

        for held in await self.tasks.held(tenant, worker):
            if is_its(held):
                await self._last_output(tenant, word, held.id)
                await self.writer.apply(tenant, held.id, lambda task: verb(task) if is_its(task) else task)

    async def _last_output(
        self, tenant: TenantId, word: Word, id: TaskId, chunks: Sequence[OutputChunk] = (), first: int | None = None
    ) -> None:
        """Append what comes with a last word, and what was held back; a refusal is left to the word itself."""
        with suppress(StaleLease):
            if chunks:
                await self.output(tenant, word, id, chunks, first=first)
            await self.finish(tenant, word, id)

    async def _append(
        self, tenant: TenantId, word: Word, id: TaskId, chunks: Sequence[OutputChunk], first: int | None
    ) -> Task:
        speech = await self._speaking(tenant, word, id)
        await self.telling.tell(speech, chunks, first)
        return speech.task

    async def _speaking(self, tenant: TenantId, word: Word, id: TaskId) -> Speech:
        """The task with its honoured grant, renewed if a quarter of its time is gone.

        A cancelled task comes with its burnt grant for as long as that may trail.
        """
        task = await self.tasks.get(tenant, id)
        now = self.clock.now()
        if task.grant is not None and may_trail(task, word, now, TRAILING_GRACE):
            return Speech(task, task.grant, trailing=True)
        held = held_by(task, word, now, self.terms)
        if held is not task or _wants_renewal(held, word, now, self.terms):
            held = await self.renew(tenant, word, id)
        if held.grant is None:
            raise VersionConflict("The task changed meanwhile; try again", id=id)
        return Speech(held, held.grant)

    async def _outcome(
        self, tenant: TenantId, word: Word, id: TaskId, words: str, verb: Callable[[Task, datetime], Task]
    ) -> Task:
        """Apply a terminal verb; what a superseded grant had to say is kept on its attempt before it is refused."""
        try:
            return await self.writer.apply(tenant, id, lambda task: verb(task, self.clock.now()))
        except StaleLease:
            if word.token is not None:
                token, evidence = word.token, words[-_EVIDENCE_KEPT:]
                await self.writer.apply(tenant, id, lambda task: keep_evidence(task, token, evidence, self.clock.now()))
            raise


def _wants_renewal(task: Task, word: Word, now: datetime, terms: LeaseTerms) -> bool:
    """Whether output should renew the lease on its way: a quarter is gone, or the token is shown for the first time."""
    grant = task.grant
    if grant is None:
        return False
    return grant.expires_at - now < terms.ttl * 3 / 4 or (word.token is not None and not grant.tokened)
