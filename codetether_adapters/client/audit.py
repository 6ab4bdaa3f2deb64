"""What was done, by whom: ``client.audit``, for operators and administrators."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Any

from attrs import Factory, frozen

from codetether_adapters.client.lines import lines_of
from codetether_adapters.client.operations import M, Resource, operation, stream
from codetether_adapters.client.requests import Request, one

__all__ = ["Audit", "AuditEventView", "AuditEventsView", "AuditHeadView", "AuditHeadsView"]

_AT = "/v1/audit"


@frozen(kw_only=True)
class AuditEventView:
    """A record of the trail."""

    id: str
    timestamp: datetime
    actor: str
    action: str
    resource: str
    outcome: str
    metadata: Mapping[str, Any] = Factory(dict)
    ip: str = ""
    session_id: str = ""
    tenant: str = ""


@frozen(kw_only=True)
class AuditEventsView:
    """Records, the latest first, and where to go on."""

    events: tuple[AuditEventView, ...]
    cursor: str | None = None


@frozen(kw_only=True)
class AuditHeadView:
    """How far a chain goes, and its hash up to there; one that has ``ended`` is of a store as it was before."""

    chain: str
    number: int
    hash: str
    start: int = 0
    ended: bool = False


@frozen(kw_only=True)
class AuditHeadsView:
    """All chains, and the public key that their checkpoints are signed with."""

    tenant: str
    key: str
    chains: tuple[AuditHeadView, ...]


class Audit(Resource[M]):
    """``client.audit``."""

    @operation
    async def find(
        self,
        *,
        actor: Sequence[str] = (),
        action: Sequence[str] = (),
        outcome: Sequence[str] = (),
        resource: str | None = None,
        session_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> AuditEventsView:
        """Records that match all of it; an action may end in ``*``."""
        body = {
            "actor": list(actor),
            "action": list(action),
            "outcome": list(outcome),
            "resource": resource,
            "session_id": session_id,
            "since": since,
            "until": until,
            "limit": limit,
            "cursor": cursor,
        }
        return await self._send(Request(method="POST", path=f"{_AT}/query", body=body, read=one(AuditEventsView)))

    @operation
    async def heads(self) -> AuditHeadsView:
        """Worth keeping elsewhere: who has them can tell that records were cut off later."""
        return await self._send(Request(method="GET", path=f"{_AT}/heads", read=one(AuditHeadsView)))

    @stream
    async def export(self) -> AsyncGenerator[bytes]:
        """Everything as JSON Lines, each without its end."""
        async with aclosing(lines_of(self._transport, f"{_AT}/export")) as lines:
            async for line in lines:
                yield line
