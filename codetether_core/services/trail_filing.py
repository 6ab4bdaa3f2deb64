"""Filing the old end of the trail away: as JSON Lines in a blob, whose chain goes on with what stays."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from attrs import frozen

from codetether_core import codec
from codetether_core.audit import (
    FILED,
    GENESIS,
    SYSTEM_ACTOR,
    Chain,
    Checkpoint,
    Link,
    Outcome,
    digest_of,
    following,
    line_of,
)
from codetether_core.ports import AuditLog, BlobStore, Clock
from codetether_core.services.log_lines import compressed
from codetether_core.services.recording import Recording
from codetether_core.services.sealing import checkpoint_of

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
        old = [link for link in links if _moment(link) < horizon]
        if len(old) < _LEAST:
            return 0
        before, end = _anchors(old, chain.start)
        if end is None:
            return 0
        leaving = [link for link in old if link.number <= end.through]
        blob = await self.blobs.put(chain.tenant, compressed(_lines(chain, leaving, before)))
        metadata = {"chain": chain.name, "first": leaving[0].number, "last": end.through, "blob": blob}
        await self.recording.record(
            chain.tenant,
            SYSTEM_ACTOR,
            FILED,
            f"chain/{chain.name}",
            Outcome.SUCCESS,
            metadata,
            chain=chain.name,
        )
        return await self.trail.trim(chain.tenant, chain.name, end.through)


def _anchors(links: Sequence[Link], start: int) -> tuple[bytes, Checkpoint | None]:
    """The head before the first of them; and a checkpoint that vouches for the chain up to a record behind which it is
    the first, so that whoever begins there finds it.
    """
    before, end, beyond = GENESIS, None, start
    for link in links:
        checkpoint = checkpoint_of(link)
        if checkpoint is not None:
            if checkpoint.through == start:
                before = checkpoint.head
            elif checkpoint.through > beyond:
                end = checkpoint
            beyond = link.number
    return before, end


async def _lines(chain: Chain, links: Sequence[Link], head: bytes) -> AsyncIterator[bytes]:
    for link in links:
        head = following(head, [digest_of(link.body)])
        yield line_of(chain.name, link, head)


def _moment(link: Link) -> datetime:
    return codec.moment(json.loads(link.body)["timestamp"])
