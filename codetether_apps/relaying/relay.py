"""Which agents elsewhere there are in which tenant, and a desk for each tenant that has any."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from functools import partial
from typing import Final

from attrs import define, field

from codetether_apps.holding.cancelling import cancelled
from codetether_apps.holding.verdicts import Persistence
from codetether_apps.relaying.desk import Desk
from codetether_apps.wiring.keeping import keep_running
from codetether_core.access import DEFAULT_TENANT
from codetether_core.events import AGENTS, Topic
from codetether_core.ids import TenantId, WorkerId, new_id
from codetether_core.ports import Delegate
from codetether_core.services import Services, tenants_of

__all__ = ["Relay"]

_LOOK_EVERY: Final = timedelta(seconds=30)
"""For tenants that have come, and agents whose news were lost."""


@define(eq=False)
class Relay:
    """All of this process, which goes by one worker's name."""

    services: Services
    delegate: Delegate
    _worker: WorkerId = field(init=False)
    _desks: dict[TenantId, tuple[Desk, asyncio.Task[None]]] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        now, random = self.services.clock.now(), self.services.entropy.bytes(16)
        self._worker = WorkerId(new_id("wrk", now, random))

    async def run(self) -> None:
        """Until cancelled; what is under way then goes on until we ``leave``."""
        notifier, backend = self.services.backend.notifier, self.services.backend
        while True:
            tenants = {DEFAULT_TENANT, *await tenants_of(backend.audit)}
            with notifier.listen(*(Topic(tenant, AGENTS) for tenant in tenants)) as bell:
                until = self.services.clock.now() + _LOOK_EVERY
                while (left := until - self.services.clock.now()) > timedelta():
                    await self._look(tenants)
                    await bell.wait(left)

    async def leave(self) -> None:
        """Take nothing more, and give back what is under way."""
        desks, self._desks = [*self._desks.values()], {}
        await cancelled(*(task for _, task in desks))
        await asyncio.gather(*(desk.leave() for desk, _ in desks))

    async def _look(self, tenants: Iterable[TenantId]) -> None:
        for tenant in tenants:
            agents = await self.services.backend.directory.agents.list(tenant)
            names = frozenset(agent.name for agent in agents if agent.peer is not None)
            if names or tenant in self._desks:
                self._desk(tenant).serves(names)

    def _desk(self, tenant: TenantId) -> Desk:
        if tenant not in self._desks:
            desk = Desk(
                services=self.services,
                delegate=self.delegate,
                persistence=Persistence(self.services.clock, self.services.entropy),
                tenant=tenant,
                worker=self._worker,
            )
            running = asyncio.create_task(keep_running("desk", partial(Desk.run, desk)))
            self._desks[tenant] = desk, running
        return self._desks[tenant][0]
