"""One task that an agent elsewhere does: claimed, given there and watched, and reported; or given up, or given back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from secrets import token_hex
from typing import Any, Final, TypeVar

import structlog
from attrs import define, evolve, field

from codetether_apps.holding.cancelling import cancelled
from codetether_apps.holding.lease import LeaseKeeper
from codetether_apps.holding.output import OutputSender
from codetether_apps.holding.verdicts import Ending, Persistence, verdict
from codetether_apps.relaying.held import Held
from codetether_core.access import SYSTEM
from codetether_core.agents import Peer
from codetether_core.audit import SYSTEM_ACTOR, Outcome
from codetether_core.errors import CodeTetherError, NotFound, Unavailable, VersionConflict
from codetether_core.ids import AgentName, TaskId, TenantId, WorkerId
from codetether_core.ports import Delegate, Order, RunFailed, RunOutcome
from codetether_core.services import Services
from codetether_core.tasks import Task, Word

__all__ = ["RelayedRun"]

T = TypeVar("T")

_WAIT: Final = timedelta(milliseconds=20)
_BATCH: Final = 16 * 1024
_TRAILING: Final = 5.0
_PLACING: Final = 5.0
"""Seconds for an agent that has just been given a task, which nobody wants any more, to tell what it calls it."""

_GIVING_UP: Final = timedelta(seconds=60)
"""For how long an agent that is out of reach is told that nobody wants the task any more."""

_METADATA: Final = "peer_metadata"
"""Of a task's metadata, what its message tells the agent."""

_log = structlog.get_logger(__name__)


@define(eq=False, kw_only=True)
class RelayedRun:
    """A run of the task ``id``, under the name of the ``worker`` that all of this process go by."""

    services: Services
    delegate: Delegate
    persistence: Persistence
    tenant: TenantId
    worker: WorkerId
    id: TaskId
    _ending: Ending | None = field(default=None, init=False)
    _ended: asyncio.Event = field(factory=asyncio.Event, init=False)
    _log: Any = field(init=False)

    def __attrs_post_init__(self) -> None:
        self._log = _log.bind(task_id=self.id)

    def end(self, ending: Ending) -> None:
        """It has to end. A cancel is said over any other reason, since the agent has to hear of it."""
        if self._ending is None or ending is Ending.CANCELLED:
            self._ending = ending
        self._ended.set()

    async def run(self) -> None:
        """From the claim to the last word."""
        sent = self.persistence.clock.now()
        task = await self._claimed()
        if task is None or task.grant is None:
            return
        word = Word(worker=self.worker, principal=SYSTEM.name, token=task.grant.token)
        output = OutputSender(
            post=lambda chunks, first: held.output(chunks, first),
            end=self.end,
            wait=_WAIT,
            batch=_BATCH,
            persistence=self.persistence,
        )
        held = Held(services=self.services, task=task, word=word, persistence=self.persistence, say=output.emit)
        keeper = LeaseKeeper(
            renew=lambda: self.services.reporting.renew(self.tenant, word, self.id),
            end=self.end,
            ttl=self.services.terms.ttl,
            exclusive=False,
            renewed_at=sent,
            clock=self.persistence.clock,
            entropy=self.persistence.entropy,
        )
        keeping, sending = asyncio.create_task(keeper.keep()), asyncio.create_task(output.send())
        try:
            order = await self._order(task)
            outcome = await self._outcome(order, held)
            await output.close()
            await asyncio.wait({sending}, timeout=None if self._ending is None else _TRAILING)
            if output.failure is not None:
                outcome = RunFailed(output.failure, "output_refused")
            await self._last_word(order, held, outcome)
        finally:
            await cancelled(keeping, sending)

    async def _claimed(self) -> Task | None:
        """The task, if nobody else was faster. One key for all tries: they get the same grant."""
        key, principal = token_hex(16), evolve(SYSTEM, tenant=self.tenant)
        claiming = self.services.claiming
        try:
            return await self.persistence.answer(
                lambda: claiming.claim(principal, self.worker, self.id, tokened=True, key=key)
            )
        except CodeTetherError as error:
            self._log.debug("not_claimed", error=error.message)
            return None

    async def _order(self, task: Task) -> Order | RunFailed:
        """What the agent is to be asked, or why it cannot be."""
        name = AgentName(task.spec.target_agent or "")
        agents, found = self.services.backend.directory.agents, self.persistence.answer
        try:
            agent = await found(lambda: _had(agents.get(self.tenant, name), "agent_unknown"))
            if agent.peer is None:
                return RunFailed(f"The agent {name} is no longer one elsewhere", "agent_unknown")
            peer = agent.peer
            credential = await found(lambda: _had(self._credential(task, peer), "secret_unusable"))
        except RunFailed as failure:
            return failure
        told = task.spec.metadata.get(_METADATA)
        resumed = task.spec.metadata.get("resume_session_id")
        return Order(
            task=task.id,
            agent=name,
            peer=peer,
            prompt=task.spec.prompt or task.spec.title,
            context=str(resumed or task.spec.context or task.id),
            metadata=told if isinstance(told, dict) else {},
            credential=credential,
        )

    async def _credential(self, task: Task, peer: Peer) -> str:
        if peer.sign_in is None:
            return ""
        name = peer.sign_in.secret
        value = await self.services.secret_keeping.sent(self.tenant, name)
        await self.services.recording.record(
            self.tenant, SYSTEM_ACTOR, "secrets.handed", f"task/{task.id}", Outcome.SUCCESS, {"names": [name]}
        )
        return value

    async def _outcome(self, order: Order | RunFailed, held: Held) -> RunOutcome | RunFailed | None:
        """What came of it; nothing if it was ended."""
        if isinstance(order, RunFailed):
            return order
        self._log.info("relayed", agent=order.agent)
        doing = asyncio.ensure_future(self.delegate.run(order, held))
        ended = asyncio.ensure_future(self._ended.wait())
        try:
            await asyncio.wait({doing, ended}, return_when=asyncio.FIRST_COMPLETED)
            if self._ending is Ending.CANCELLED and held.delegation is not None and not doing.done():
                placed = asyncio.ensure_future(held.placed.wait())
                await asyncio.wait({doing, placed}, timeout=_PLACING, return_when=asyncio.FIRST_COMPLETED)
                await cancelled(placed)
        finally:
            interrupted = not doing.done()
            await cancelled(doing, ended)
        return None if interrupted or doing.cancelled() else self._came_of(doing)

    def _came_of(self, doing: asyncio.Future[RunOutcome]) -> RunOutcome | RunFailed | None:
        match doing.exception():
            case None:
                return doing.result()
            case RunFailed() as failure:
                return failure
            case CodeTetherError() as error if (ending := verdict(error)) is not None:
                self.end(ending)
                return None
            case error:
                self._log.error("relay_failed", exc_info=error)
                return RunFailed(f"The server failed: {type(error).__name__}: {error}", "relay_error")

    async def _last_word(self, order: Order | RunFailed, held: Held, outcome: RunOutcome | RunFailed | None) -> None:
        """The outcome; where there is none that counts, the agent is told or the task given back."""
        words, tenant = self.services.reporting, self.tenant
        if outcome is not None and self._ending is not Ending.CANCELLED:
            await self._taken(lambda: self._reported(held.word, outcome))
        elif self._ending in (Ending.DRAINED, Ending.UNRENEWED):
            await self._taken(lambda: words.release(tenant, held.word, self.id))
        if isinstance(order, RunFailed):
            return
        if self._ending is Ending.CANCELLED:
            if await self._given_up(order, held):
                await self._taken(lambda: words.stopped(tenant, held.word, self.id))
        elif await self._is_over() if self._ending is Ending.SUPERSEDED else _left_at_work(held, outcome):
            await self._given_up(order, held)

    async def _is_over(self) -> bool:
        """Whether somebody else has ended the task, such as its deadline: nobody goes on with what the agent does."""
        tasks = self.services.backend.tasks
        try:
            return (await self.persistence.answer(lambda: tasks.get(self.tenant, self.id))).ended
        except NotFound:  # it was erased
            return True

    async def _reported(self, word: Word, outcome: RunOutcome | RunFailed) -> Task:
        words, tenant = self.services.reporting, self.tenant
        if isinstance(outcome, RunFailed):
            self._log.info("relay_ended", reason=outcome.reason)
            return await words.fail(tenant, word, self.id, outcome.error, reason=outcome.reason)
        return await words.complete(tenant, word, self.id, outcome.result)

    async def _given_up(self, order: Order, held: Held) -> bool:
        """Have the agent end what it does; whether it has."""
        if held.delegation is None:
            return True
        delegation, clock = held.delegation, self.persistence.clock
        until, failures = clock.now() + _GIVING_UP, 0
        while clock.now() < until:
            try:
                async with asyncio.timeout((until - clock.now()).total_seconds()):
                    if await self.delegate.cancel(order, delegation):
                        return True
            except (Unavailable, TimeoutError) as error:
                self._log.debug("peer_out_of_reach", error=str(error))
            await self.persistence.pause(failures)
            failures += 1
        self._log.warning("peer_not_stopped", agent=order.agent)
        return False

    async def _taken(self, word: Callable[[], Awaitable[object]]) -> None:
        """Say a last word; a refusal may tell that the task was cancelled meanwhile."""
        try:
            await self.persistence.answer(word)
        except CodeTetherError as error:
            self._log.warning("refused", error=error.message)
            self._ending = Ending.CANCELLED if self._ending is Ending.CANCELLED else verdict(error)


def _left_at_work(held: Held, outcome: RunOutcome | RunFailed | None) -> bool:
    """Whether the run has failed without the agent: it goes on with what nobody waits for."""
    named = held.delegation is not None and held.delegation.task is not None
    return named and isinstance(outcome, RunFailed) and not outcome.said


async def _had(getting: Awaitable[T], reason: str) -> T:
    """What it gives; ``RunFailed`` if it never will."""
    try:
        return await getting
    except (Unavailable, VersionConflict):
        raise
    except CodeTetherError as error:
        raise RunFailed(error.message, reason) from None
