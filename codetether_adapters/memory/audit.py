"""The audit trail in memory."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from attrs import define, field

from codetether_adapters.tail import encoded
from codetether_core.audit import Chain, Link
from codetether_core.events import Event
from codetether_core.ids import TenantId

__all__ = ["MemoryAudit"]


@define
class _Kept:
    start: int = 0
    bodies: list[bytes] = field(factory=list)


@define(eq=False)
class MemoryAudit:
    """All chains of one memory (an ``AuditLog``), of which those called ``own`` are added to."""

    own: str
    _chains: dict[tuple[TenantId, str], _Kept] = field(factory=dict, init=False)

    def add(self, tenant: TenantId, body: bytes) -> None:
        """One more record."""
        self._chains.setdefault((tenant, self.own), _Kept()).bodies.append(body)

    async def append(self, events: Sequence[Event], *, chain: str = "") -> None:
        """At the end of the only chain there is to add to."""
        for event, body in encoded(events):
            self.add(event.topic.tenant, body)

    async def chains(self, tenant: TenantId | None = None) -> Sequence[Chain]:
        """Sorted."""
        return [
            Chain(tenant=owner, name=name, start=kept.start, last=kept.start + len(kept.bodies), own=self.is_own(name))
            for (owner, name), kept in sorted(self._chains.items())
            if tenant in (None, owner)
        ]

    async def read(self, tenant: TenantId, chain: str, *, after: int = 0, limit: int) -> Sequence[Link]:
        """By counting."""
        kept = self._chains.get((tenant, chain), _Kept())
        first = max(after - kept.start, 0)
        bodies = islice(kept.bodies, first, first + limit)
        return [Link(number, body) for number, body in enumerate(bodies, kept.start + first + 1)]

    async def latest(self, tenant: TenantId, chain: str, *, before: int | None = None, limit: int) -> Sequence[Link]:
        """By counting from the end."""
        kept = self._chains.get((tenant, chain), _Kept())
        end = len(kept.bodies) if before is None else min(max(before - 1 - kept.start, 0), len(kept.bodies))
        return [Link(kept.start + at + 1, kept.bodies[at]) for at in range(end - 1, max(end - limit, 0) - 1, -1)]

    def is_own(self, chain: str) -> bool:
        """There is one."""
        return chain == self.own

    async def keep(self, tenant: TenantId, chain: str, start: int, links: Sequence[Link]) -> None:
        """As they are."""
        kept = self._chains.setdefault((tenant, chain), _Kept(start))
        kept.bodies += [link.body for link in links]

    async def trim(self, tenant: TenantId, chain: str, through: int) -> int:
        """Cut the beginning off."""
        kept = self._chains.get((tenant, chain), _Kept())
        gone = min(max(through - kept.start, 0), len(kept.bodies))
        del kept.bodies[:gone]
        kept.start += gone
        return gone
