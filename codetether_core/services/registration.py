"""Who and what there is: codebases, workers, agents."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, TypeVar

from attrs import evolve, frozen

from codetether_core import codec
from codetether_core.access import Principal, require_worker
from codetether_core.agents import EXPIRES_AFTER, Agent, discoverable, heard
from codetether_core.codebases import Codebase, served_by
from codetether_core.errors import AlreadyExists, Conflict, Invalid, NotFound, PermissionDenied, VersionConflict
from codetether_core.events import AGENTS, CODEBASES, Event, Topic
from codetether_core.ids import AgentName, CodebaseId, TenantId, WorkerId, new_id
from codetether_core.ports import Clock, CodebaseStore, Directory, Entropy, RecordStore, TaskQuery, TaskStore, Versioned
from codetether_core.services.ownership import REGISTRATIONS, Ownership, Reach
from codetether_core.services.swapping import until_swapped
from codetether_core.tasks import LIVE
from codetether_core.workers import Worker, left, seen

__all__ = ["Registration"]

V = TypeVar("V", bound=Versioned)
P = TypeVar("P", Worker, Agent)


@frozen
class Registration:
    """Registering, greeting and forgetting."""

    codebases: CodebaseStore
    directory: Directory
    tasks: TaskStore
    clock: Clock
    entropy: Entropy
    ownership: Ownership

    async def add_codebase(
        self,
        principal: Principal,
        *,
        name: str,
        path: str,
        description: str = "",
        agent_config: Mapping[str, Any] | None = None,
        worker: WorkerId | None = None,
    ) -> Codebase:
        """The codebase of that name and path, with ``worker`` among those that serve it; new only the first time."""
        if worker is not None:
            require_worker(principal, worker)
        codebase = await self._put_codebase(principal, name, path, description, agent_config or {}, worker)
        if worker is not None:
            await self._note_served(principal, worker, codebase.id)
        return codebase

    async def _note_served(self, principal: Principal, worker: WorkerId, codebase: CodebaseId) -> None:
        """Add to what the worker serves by its registration, if the principal has registered it."""

        def serving(known: Worker) -> Worker:
            if codebase in known.codebases or known.principal != principal.name:
                return known
            return evolve(known, codebases=(*known.codebases, codebase), version=known.version + 1)

        with suppress(NotFound):
            await _change(self.directory.workers, principal.tenant, worker, serving)

    async def _put_codebase(
        self,
        principal: Principal,
        name: str,
        path: str,
        description: str,
        agent_config: Mapping[str, Any],
        worker: WorkerId | None,
    ) -> Codebase:
        async def attempt() -> Codebase:
            now = self.clock.now()
            known = await self.codebases.find(principal.tenant, name, path)
            if known is not None:
                codebase = served_by(known, worker, now, description=description, agent_config=agent_config)
                if codebase is not known:
                    await self.codebases.replace(known, codebase, [_codebase_event("codebase.changed", codebase, now)])
                return codebase
            codebase = Codebase(
                id=CodebaseId(new_id("cbs", now, self.entropy.bytes(16))),
                tenant=principal.tenant,
                name=name,
                path=path,
                registered_at=now,
                updated_at=now,
                description=description,
                agent_config=agent_config,
                workers=frozenset({worker} if worker else ()),
            )
            try:
                await self.codebases.add(codebase, [_codebase_event("codebase.registered", codebase, now)])
            except AlreadyExists as error:
                raise VersionConflict("Somebody else registered it first", name=name) from error
            return codebase

        return await until_swapped(attempt, "codebase", name)

    async def change_codebase(self, tenant: TenantId, id: CodebaseId, verb: Callable[[Codebase], Codebase]) -> Codebase:
        """The codebase after a pure change of it; the version is raised here."""

        def raised(old: Codebase) -> Codebase:
            new = verb(old)
            if new == old:
                return old
            return evolve(new, version=old.version + 1, updated_at=self.clock.now())

        return await _change(self.codebases, tenant, id, raised, self._told("codebase.changed", _codebase_event))

    async def remove_codebase(self, principal: Principal, id: CodebaseId) -> None:
        """Forget it; the tasks that it had stay. ``Conflict`` while one of them has not ended."""
        codebase = await self.codebases.get(principal.tenant, id)
        if await self.tasks.list(principal.tenant, TaskQuery(codebase=id, states=LIVE, limit=1)):
            raise Conflict("The codebase has tasks that have not ended", hint="cancel them first", id=id)
        await self.codebases.remove(codebase, [_codebase_event("codebase.removed", codebase, self.clock.now())])

    async def add_worker(self, principal: Principal, worker: Worker) -> Worker:
        """Keep what a worker says of itself, over what it said before; ``PermissionDenied`` if the id is another's."""
        require_worker(principal, worker.id)
        try:
            known = await self.directory.workers.get(principal.tenant, worker.id)
        except NotFound:
            await self._add_or_replace_worker(principal, worker)
            return worker
        _owned(known, await self._reach(principal))
        return await _change(
            self.directory.workers,
            principal.tenant,
            worker.id,
            lambda known: evolve(worker, registered_at=known.registered_at, version=known.version + 1),
            self._told("worker.changed", _worker_event),
        )

    async def greet_worker(self, principal: Principal, id: WorkerId) -> Worker:
        """Note a worker's beat; ``NotFound`` if it has to register (again)."""
        reach = await self._reach(principal)
        return await _change(
            self.directory.workers,
            principal.tenant,
            id,
            lambda worker: seen(_owned(worker, reach), self.clock.now()),
        )

    async def dismiss_worker(self, principal: Principal, id: WorkerId) -> Worker:
        """The worker signs off."""
        reach = await self._reach(principal)
        return await _change(
            self.directory.workers,
            principal.tenant,
            id,
            lambda worker: left(_owned(worker, reach), self.clock.now()),
            self._told("worker.left", _worker_event),
        )

    async def add_agent(self, principal: Principal, agent: Agent) -> Agent:
        """Keep what an agent says of itself, over what it said before; ``PermissionDenied`` if it is another's."""
        try:
            known = await self.directory.agents.get(principal.tenant, agent.name)
        except NotFound:
            await self.directory.agents.add(agent, [_agent_event("agent.registered", agent, agent.registered_at)])
            return agent
        _owned(known, await self._reach(principal))
        return await _change(
            self.directory.agents,
            principal.tenant,
            agent.name,
            lambda known: evolve(agent, registered_at=known.registered_at, version=known.version + 1),
            self._told("agent.changed", _agent_event),
        )

    async def require_no_worker(self, tenant: TenantId, name: str) -> None:
        """``Invalid`` if a worker has the name: what is meant for that one would go to whoever else took it."""
        if any(name in (worker.id, worker.name) for worker in await self.directory.workers.list(tenant)):
            raise Invalid("name", "is that of a worker", hint="use another name")

    async def hear_agent(self, principal: Principal, name: AgentName) -> Agent:
        """Note a heartbeat; an agent that had expired is discoverable again. ``NotFound`` if it never registered."""
        reach = await self._reach(principal)
        return await _change(
            self.directory.agents,
            principal.tenant,
            name,
            lambda agent: heard(_owned(agent, reach), self.clock.now()),
        )

    async def remove_agent(self, principal: Principal, name: AgentName) -> None:
        """Forget an agent; its inbox stays."""
        agent = await self.directory.agents.get(principal.tenant, name)
        _owned(agent, await self._reach(principal))
        await self.directory.agents.remove(agent, [_agent_event("agent.removed", agent, self.clock.now())])

    async def discover(self, principal: Principal, *, max_age: timedelta = EXPIRES_AFTER) -> Sequence[Agent]:
        """The agents heard from recently."""
        now = self.clock.now()
        return [
            agent for agent in await self.directory.agents.list(principal.tenant) if discoverable(agent, now, max_age)
        ]

    def _told(self, kind: str, make: Callable[[str, V, datetime], Event]) -> Callable[[V], Event]:
        return lambda value: make(kind, value, self.clock.now())

    async def _reach(self, principal: Principal) -> Reach:
        return await self.ownership.reach(principal, REGISTRATIONS)

    async def _add_or_replace_worker(self, principal: Principal, worker: Worker) -> None:
        try:
            await self.directory.workers.add(worker, [_worker_event("worker.registered", worker, worker.registered_at)])
        except AlreadyExists:
            await self.add_worker(principal, worker)


def _owned(registered: P, reach: Reach) -> P:
    """What the principal registered, or may change for whoever did; ``PermissionDenied`` otherwise."""
    if not reach.covers(registered.principal):
        raise PermissionDenied("Another principal registered this", id=registered.id)
    return registered


async def _change(
    store: RecordStore[V], tenant: TenantId, id: str, verb: Callable[[V], V], told: Callable[[V], Event] | None = None
) -> V:
    """Swap the stored value for what the verb makes of it, again and again until nobody was faster.

    Whatever is not ``told`` is no more than a sign of life.
    """

    async def attempt() -> V:
        old = await store.get(tenant, id)
        new = verb(old)
        if new is not old:
            await store.replace(old, new, [told(new)] if told else [])
        return new

    return await until_swapped(attempt, "record", id)


def _codebase_event(kind: str, codebase: Codebase, at: datetime) -> Event:
    data: dict[str, Any] = codec.dump(codebase)
    return Event(Topic(codebase.tenant, CODEBASES, codebase.id), kind, at, data)


def _worker_event(kind: str, worker: Worker, at: datetime) -> Event:
    data = {"worker_id": worker.id, "name": worker.name, "hostname": worker.hostname}
    return Event(Topic.worker(worker.tenant, worker.id), kind, at, data)


def _agent_event(kind: str, agent: Agent, at: datetime) -> Event:
    data = {"agent_name": agent.name, "url": agent.url, "description": agent.description}
    return Event(Topic(agent.tenant, AGENTS, agent.name), kind, at, data)
