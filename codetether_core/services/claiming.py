"""Who may take what: claim, list what is open to a worker, explain why a task waits."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Final

from attrs import frozen

from codetether_core.access import Principal, require_worker
from codetether_core.errors import Invalid, NotFound, PermissionDenied, StaleLease, TaskUnavailable
from codetether_core.ids import CodebaseId, TaskId, TenantId, WorkerId, digest
from codetether_core.ports import Clock, Directory, Entropy, TaskStore
from codetether_core.services.dispatch import Dispatch
from codetether_core.services.lanes import PAGE
from codetether_core.services.ownership import REGISTRATIONS, Ownership
from codetether_core.services.task_writer import TaskWriter
from codetether_core.tasks import (
    ANYWHERE,
    Lane,
    LeaseTerms,
    Profile,
    Refusal,
    Task,
    Word,
    claim,
    lane_of,
    refusals,
    renew,
)
from codetether_core.tasks.matching import BUILT_IN_AGENTS
from codetether_core.workers import Presence, Worker, presence

__all__ = ["Claiming", "Explanation", "profile_of"]

_SHORTEST_KEY: Final = 16


@frozen
class Explanation:
    """Why one worker does, or does not, get a task.

    ``busy`` is how many tasks it holds; ``in_the_way`` are those of them that run in the same checkout, where one may
    run at a time.
    """

    worker: Worker
    presence: Presence
    refusals: tuple[Refusal, ...]
    busy: int
    in_the_way: tuple[TaskId, ...]


@frozen
class Claiming:
    """Grants. What a worker may take is told by its registration and by its streams at the ``desk`` together."""

    writer: TaskWriter
    desk: Dispatch
    tasks: TaskStore
    directory: Directory
    clock: Clock
    entropy: Entropy
    terms: LeaseTerms
    ownership: Ownership

    async def claim(self, principal: Principal, worker: WorkerId, id: TaskId, *, tokened: bool, key: str = "") -> Task:
        """Grant the task to the worker; ``TaskUnavailable`` says why not.

        The same ``key`` (16 characters at least, the caller's own dice) from the same worker gives the grant that
        it already got, renewed, so a claim whose answer was lost can be sent again; ``StaleLease`` once that is over.
        ``PermissionDenied`` for a worker id that another principal registered.
        """
        if key and len(key) < _SHORTEST_KEY:
            raise Invalid("Idempotency-Key", f"must have {_SHORTEST_KEY} characters at least")
        require_worker(principal, worker)
        nonce = digest(principal.name, worker, id, key) if key else self.entropy.bytes(16).hex()
        registered = await self._registered(principal.tenant, worker)
        if registered and not await self._speaks_for(principal, registered.principal):
            raise PermissionDenied("Another principal registered this worker", id=worker)
        profile = self._profile(principal.tenant, worker, registered)

        def verb(task: Task) -> Task:
            now = self.clock.now()
            if task.holder and task.holder.nonce == nonce:
                token = task.holder.token if task.holder.tokened else None
                return renew(task, Word(worker=worker, principal=principal.name, token=token), now, self.terms)
            if any(attempt.token.endswith(f".{nonce}") for attempt in task.attempts):
                raise StaleLease("The lease of this claim is over", hint="claim with a new Idempotency-Key", id=id)
            if profile and (found := refusals(lane_of(task.tenant, task.spec), profile)):
                raise TaskUnavailable(id, found[0])
            return claim(
                task,
                worker=worker,
                principal=principal.name,
                now=now,
                terms=self.terms,
                nonce=nonce,
                tokened=tokened,
            )

        return await self.writer.apply(principal.tenant, id, verb)

    async def open_to(
        self, principal: Principal, limit: int, *, name: str | None = None, codebase: CodebaseId | None = None
    ) -> Sequence[Task]:
        """The ready tasks, best first, that a worker of that name may take; without one, any of the principal's.

        All of them, or one codebase's.
        """
        profiles = [
            self._profile(principal.tenant, worker.id, worker) or profile_of(worker)
            for worker in await self.directory.workers.list(principal.tenant)
            if (worker.principal == principal.name if name is None else worker.name == name)
        ]
        lanes = [
            lane
            async for lane in self._every_lane(principal.tenant)
            if codebase in (None, lane.codebase) and any(not refusals(lane, profile) for profile in profiles)
        ]
        found = await self.tasks.ready(lanes, limit)
        return sorted(found, key=lambda task: (-task.spec.priority, task.created_at, task.id))[:limit]

    async def explain(self, principal: Principal, id: TaskId) -> tuple[Task, Sequence[Explanation]]:
        """The task, and of every worker that has not left what keeps it from the task."""
        task = await self.tasks.get(principal.tenant, id)
        lane = lane_of(task.tenant, task.spec)
        now = self.clock.now()
        found: list[Explanation] = []
        for worker in await self.directory.workers.list(principal.tenant):
            if presence(worker, now) is not Presence.LEFT:
                profile = self._profile(principal.tenant, worker.id, worker) or profile_of(worker)
                held = await self.tasks.held(principal.tenant, worker.id)
                there = tuple(each.id for each in held if each.id != id and _share_a_checkout(each, task))
                found.append(Explanation(worker, presence(worker, now), refusals(lane, profile), len(held), there))
        return task, found

    async def _speaks_for(self, principal: Principal, owner: str) -> bool:
        """Whether it may; the policy is asked only about what is not its own."""
        return principal.name == owner or (await self.ownership.reach(principal, REGISTRATIONS)).everybody

    async def _registered(self, tenant: TenantId, worker: WorkerId) -> Worker | None:
        try:
            return await self.directory.workers.get(tenant, worker)
        except NotFound:
            return None

    def _profile(self, tenant: TenantId, worker: WorkerId, registered: Worker | None) -> Profile | None:
        """What the worker can do by its registration and its streams together; ``None`` if it told us nothing."""
        told = [connection.slot.profile for connection in self.desk.of_worker(tenant, worker)]
        if registered:
            told.append(profile_of(registered))
        if not told:
            return None
        return Profile(
            worker=worker,
            tenant=tenant,
            names=frozenset[str]().union(*(each.names for each in told)),
            codebases=frozenset[str]().union(*(each.codebases for each in told)),
            capabilities=frozenset[str]().union(*(each.capabilities for each in told)),
            agents=frozenset[str]().union(*(each.agents for each in told)),
            relays=all(each.relays for each in told),
        )

    async def _every_lane(self, tenant: TenantId) -> AsyncIterator[Lane]:
        """All that have a ready task; between the pages others have their turn."""
        page = await self.tasks.lanes(tenant, limit=PAGE)
        while page:
            for lane in page:
                yield lane
            await self.clock.sleep(timedelta())
            page = await self.tasks.lanes(tenant, after=page[-1].key, limit=PAGE) if len(page) == PAGE else ()


def _share_a_checkout(one: Task, other: Task) -> bool:
    specs = one.spec, other.spec
    needed = all(spec.codebase not in ANYWHERE and spec.agent_type not in BUILT_IN_AGENTS for spec in specs)
    return needed and one.spec.codebase == other.spec.codebase


def profile_of(worker: Worker) -> Profile:
    """What a worker can do by its registration."""
    return Profile(
        worker=worker.id,
        tenant=worker.tenant,
        names=frozenset({worker.name}),
        codebases=frozenset(worker.codebases),
        capabilities=frozenset(worker.capabilities),
        agents=frozenset(worker.agents),
    )
