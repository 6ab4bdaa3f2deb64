"""The audit trail: looking for records, and all of it as JSON Lines."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import datetime
from typing import Final

from attrs import asdict, frozen
from starlette.responses import Response, StreamingResponse

from codetether_adapters.http.call import Call
from codetether_adapters.http.resources import shapes
from codetether_adapters.http.resources.bounds import within
from codetether_adapters.http.responses import Json
from codetether_adapters.http.routing import Route
from codetether_core.audit import AuditQuery, Outcome
from codetether_core.errors import Invalid

__all__ = ["ROUTES"]

_TAG: Final = "audit"
_MOST: Final = 1000
_MOST_VALUES: Final = 50
_LONGEST: Final = 300
_LONGEST_CURSOR: Final = 10_000


@frozen(kw_only=True)
class Wanted:
    """Every condition that is given must hold; an action may end in ``*``, a resource need only contain the text.

    ``since`` is included, ``until`` is not. ``cursor`` goes on where an answer ended.
    """

    actor: tuple[str, ...] = ()
    action: tuple[str, ...] = ()
    outcome: tuple[str, ...] = ()
    resource: str = ""
    session_id: str = ""
    since: datetime | None = None
    until: datetime | None = None
    limit: int = 100
    cursor: str | None = None

    def query(self) -> AuditQuery:
        """What to look for; ``Invalid`` for an outcome that there is none of."""
        for field in ("actor", "action", "outcome"):
            values: tuple[str, ...] = getattr(self, field)
            if len(values) > _MOST_VALUES or any(len(value) > _LONGEST for value in values):
                raise Invalid(field, f"must have at most {_MOST_VALUES} values of {_LONGEST} characters")
        known = {each.value: each for each in Outcome}
        for outcome in self.outcome:
            if outcome not in known:
                raise Invalid("outcome", f"must be among {', '.join(known)}")
        return AuditQuery(
            actors=frozenset(self.actor),
            actions=frozenset(self.action),
            outcomes=frozenset(known[each] for each in self.outcome),
            resource=self.resource,
            session_id=self.session_id,
            since=self.since,
            until=self.until,
        )


async def events(call: Call) -> Response:
    """Records of the caller's tenant, the latest first. Checkpoints are told only if asked for by their action."""
    return await _found(call, call.query(Wanted))


async def query(call: Call) -> Response:
    """The same for conditions that are long."""
    return await _found(call, await call.body(Wanted))


async def heads(call: Call) -> Response:
    """How far each chain goes: kept elsewhere, it shows from then on whether records were cut off the end."""
    found = await call.services.auditing.heads(call.principal)
    chains = [
        {
            "chain": each.chain.name,
            "start": each.chain.start,
            "number": each.head.number,
            "hash": each.head.hash.hex(),
            "ended": not each.chain.own,
        }
        for each in found
    ]
    return Json({"tenant": call.principal.tenant, "key": call.services.sealing.signer.key, "chains": chains})


async def export(call: Call) -> Response:
    """Every record on a line of its own, chain by chain, with its number and the chain's hash up to it."""
    source = call.services.auditing.lines(call.principal)

    async def lines() -> AsyncIterator[bytes]:
        async with aclosing(source):
            async for line in source:
                yield line

    return StreamingResponse(lines(), media_type="application/x-ndjson")


async def _found(call: Call, wanted: Wanted) -> Response:
    if wanted.cursor is not None and len(wanted.cursor) > _LONGEST_CURSOR:
        raise Invalid("cursor", "is none that an answer gave", hint="leave it out to begin with the latest")
    limit = within("limit", wanted.limit, 1, _MOST)
    found = await call.services.auditing.find(call.principal, wanted.query(), limit=limit, cursor=wanted.cursor)
    return Json({"events": [asdict(each) for each in found.records], "cursor": found.cursor})


_P: Final = "/v1/audit"

ROUTES: Final = (
    Route(
        "GET",
        f"{_P}/events",
        events,
        "audit:read",
        summary="Look into the audit trail",
        answer=shapes.AuditEvents,
        tag=_TAG,
        query=Wanted,
    ),
    Route(
        "POST",
        f"{_P}/query",
        query,
        "audit:read",
        summary="Look into the audit trail",
        answer=shapes.AuditEvents,
        tag=_TAG,
        body=Wanted,
    ),
    Route(
        "GET",
        f"{_P}/heads",
        heads,
        "audit:read",
        summary="How far the trail goes",
        answer=shapes.AuditHeads,
        tag=_TAG,
    ),
    Route(
        "GET",
        f"{_P}/export",
        export,
        "audit:read",
        summary="The whole trail",
        answer={"type": "string", "description": "JSON Lines, a record each."},
        media_type="application/x-ndjson",
        tag=_TAG,
    ),
)
