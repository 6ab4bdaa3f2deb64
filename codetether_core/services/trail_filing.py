"""Filing the old end of the trail away: as JSON Lines in a blob, whose chain goes on with what stays."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Final

from attrs import frozen

from codetether_core import codec
from codetether_core.audit import (
    FILED,
    SYSTEM_ACTOR,
    Chain,
    Link,
    Outcome,
    checkpoint_in,
    digest_of,
    following,
    line_of,
    record_in,
)
from codetether_core.ports import AuditLog, BlobStore, Clock
from codetether_core.services.log_lines import compressed
from codetether_core.services.recording import Recording
from codetether_core.services.sealing import Sealing

__all__ = ["TrailFiling"]

_STRETCH: Final = 5_000
"""Records in one file at most."""

_LEAST: Final = 500
"""Fewer are not worth a file."""


@frozen
class TrailFiling:
    """Moves records older than ``retention`` into blobs; without a retention, none."""

    trail: AuditLog
    blobs: BlobStore
    recording: Recording
    sealing: Sealing
    clock: Clock
    retention: timedelta | None

    async def file(self) -> int:
        """Move what is old enough, up to a checkpoint of each of our chains; how many records went."""
        if self.retention is None:
            return 0
        horizon = self.clock.now() - self.retention
        return sum([await self._file(chain, horizon) for chain in await self.trail.chains() if chain.own])

    async def _file(self, chain: Chain, horizon: datetime) -> int:
        links = await self.trail.read(chain.tenant, chain.name, after=chain.start, limit=_STRETCH)
        old = [*takewhile(lambda link: _moment(link) < horizon, links)]
        end = _anchor(old, chain)
        before = await self.sealing.head_at(chain, chain.start)
        leaving = [link for link in old if link.number <= end]
        if len(leaving) < _LEAST or before is None or end - chain.start != len(leaving):
            return 0
        blob = await self.blobs.put(chain.tenant, compressed(_lines(chain, leaving, before)))
        await self.recording.record(
            chain.tenant,
            SYSTEM_ACTOR,
            FILED,
            f"chain/{chain.name}",
            Outcome.SUCCESS,
            {"chain": chain.name, "first": leaving[0].number, "last": end, "blob": blob},
            chain=chain.name,
        )
        await self.sealing.seal()  # nobody believes it before
        return await self.trail.trim(chain.tenant, chain.name, end)


def _anchor(links: Sequence[Link], chain: Chain) -> int:
    """The last record up to which a checkpoint vouches for the chain that is the first one behind it: whoever begins to
    read there finds that before any other.
    """
    end, beyond = chain.start, chain.start
    for link in links:
        checkpoint = checkpoint_in(link.body)
        if checkpoint is not None and checkpoint.is_of(chain.name, link.number):
            if checkpoint.through > beyond:
                end = checkpoint.through
            beyond = link.number
    return end


async def _lines(chain: Chain, links: Sequence[Link], head: bytes) -> AsyncIterator[bytes]:
    for link in links:
        head = following(head, [digest_of(link.body)])
        yield line_of(chain.name, link, head)


def _moment(link: Link) -> datetime:
    """When it was written; what none of ours can have been stays where it is."""
    try:
        return codec.moment(str((record_in(link.body) or {})["timestamp"]))
    except (KeyError, ValueError):
        return datetime.max.replace(tzinfo=UTC)
