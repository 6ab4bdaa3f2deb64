"""Putting into the trail what was done: changes with the change itself, refusals at once, all the rest as counts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from attrs import Factory, define, evolve, frozen

from codetether_core import codec
from codetether_core.audit import Actor, AuditRecord, Outcome
from codetether_core.ids import TenantId
from codetether_core.ports import AuditLog, Clock
from codetether_core.redaction import rewritten
from codetether_core.services.audit_notes import Notes, event_of
from codetether_core.services.redaction import Redaction

__all__ = ["Recording"]

_MANY: Final = 10_000
"""Different counts in memory, beyond which new ones do not tell what of and from where."""

_BATCH: Final = 500

_LONGEST: Final = 300
"""Characters of a resource that are kept."""


@frozen
class _Counted:
    """What is counted together."""

    tenant: TenantId
    actor: str
    action: str
    outcome: Outcome
    resource: str = ""
    ip: str = ""
    session_id: str = ""


@define
class _Count:
    first: datetime
    times: int = 0


@define(eq=False)
class Recording:
    """Writes the trail of this process.

    Renewals, output and reading change nothing that would be worth a record each: they are counted by who, what and
    from where, and the counts become records at every ``flush``.
    """

    trail: AuditLog
    clock: Clock
    notes: Notes
    redaction: Redaction
    _counts: dict[_Counted, _Count] = Factory(dict[_Counted, _Count])

    async def record(
        self,
        tenant: TenantId,
        actor: Actor,
        action: str,
        resource: str,
        outcome: Outcome,
        metadata: Mapping[str, Any],
        *,
        chain: str = "",
    ) -> None:
        """Write something down that goes with no change of anything, into that chain or any."""
        redactor = await self.redaction.of(tenant)
        record = self._record(tenant, actor, action, redactor.whole(resource)[:_LONGEST], outcome, metadata)
        record = evolve(record, metadata=rewritten(record.metadata, redactor.whole))
        await self.trail.append([event_of(record)], chain=chain)

    def count(self, tenant: TenantId, actor: Actor, action: str, resource: str, outcome: Outcome) -> None:
        """Once more. Never refused: with too many different ones the same are told apart less."""
        counted = _Counted(tenant, actor.name, action, outcome, resource[:_LONGEST], actor.ip, actor.session_id)
        if len(self._counts) >= _MANY and counted not in self._counts:
            counted = _Counted(tenant, actor.name, action, outcome)
        if counted not in self._counts:
            self._counts[counted] = _Count(self.clock.now())
        self._counts[counted].times += 1

    async def flush(self) -> None:
        """Write the counts down; what cannot be written now is written with the next ones."""
        for tenant in {counted.tenant for counted in self._counts}:
            while batch := [each for each in self._counts.items() if each[0].tenant == tenant][:_BATCH]:
                told = [(each, count.times, self._told(each, count)) for each, count in batch]
                await self.trail.append([event_of(record) for _, _, record in told])
                for counted, times, _ in told:
                    self._subtract(counted, times)

    def _told(self, counted: _Counted, count: _Count) -> AuditRecord:
        metadata = {"count": count.times, "since": codec.timestamp(count.first)}
        actor = Actor(name=counted.actor, ip=counted.ip, session_id=counted.session_id)
        return self._record(counted.tenant, actor, counted.action, counted.resource, counted.outcome, metadata)

    def _subtract(self, counted: _Counted, times: int) -> None:
        """There may be more by now."""
        left = self._counts[counted].times - times
        if left:
            self._counts[counted] = _Count(self.clock.now(), left)
        else:
            del self._counts[counted]

    def _record(
        self,
        tenant: TenantId,
        actor: Actor,
        action: str,
        resource: str,
        outcome: Outcome,
        metadata: Mapping[str, Any],
    ) -> AuditRecord:
        request = {"request_id": actor.request_id} if actor.request_id else {}
        return AuditRecord(
            id=self.notes.id(),
            timestamp=self.clock.now(),
            actor=actor.name,
            action=action,
            resource=resource,
            outcome=outcome,
            tenant=tenant,
            metadata={**metadata, **request},
            ip=actor.ip,
            session_id=actor.session_id,
        )
