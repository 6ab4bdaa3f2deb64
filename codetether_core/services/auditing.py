"""Reading the trail: looking for records, and all of it for whoever wants to check or keep it elsewhere."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from datetime import timedelta
from typing import Final

from attrs import frozen

from codetether_core import codec
from codetether_core.access import Principal
from codetether_core.audit import (
    CHECKPOINT,
    GENESIS,
    AuditQuery,
    AuditRecord,
    Chain,
    Link,
    digest_of,
    following,
    line_of,
)
from codetether_core.errors import Invalid
from codetether_core.ports import AuditLog
from codetether_core.services.sealing import Head, Sealing, checkpoint_of

__all__ = ["Auditing", "FoundRecords", "KnownHead"]

_PAGE: Final = 200
_LOOKED_AT: Final = 10_000
"""Records that one question looks at; who wants to go on says so."""

_SKEW: Final = timedelta(minutes=1)
"""By how much the moments of records may be out of order."""


@frozen
class FoundRecords:
    """The latest first; ``cursor`` is where to go on, ``None`` at the end. There may be more though none were found."""

    records: tuple[AuditRecord, ...]
    cursor: str | None


@frozen
class KnownHead:
    """How far a chain goes just now: worth keeping elsewhere, for from then on nobody can cut it shorter unnoticed."""

    chain: Chain
    head: Head


@frozen
class Auditing:
    """A tenant's trail, for those who may see it."""

    trail: AuditLog
    sealing: Sealing

    async def find(
        self, principal: Principal, query: AuditQuery, *, limit: int, cursor: str | None = None
    ) -> FoundRecords:
        """Up to ``limit`` of the records that match, checkpoints only if asked for; ``Invalid`` for a bad cursor."""
        chains = await self.trail.chains(principal.tenant)
        places = {chain.name: chain.last for chain in chains} | _places(cursor)
        found: list[AuditRecord] = []
        looked = 0
        async with aclosing(self._latest_first(chains, places, query)) as records:
            async for chain, number, record in records:
                if len(found) == limit or looked == _LOOKED_AT:
                    return FoundRecords((*found,), json.dumps(places, separators=(",", ":")))
                looked += 1
                places[chain] = number - 1
                if _wanted(query, record):
                    found.append(record)
        return FoundRecords((*found,), None)

    async def heads(self, principal: Principal) -> Sequence[KnownHead]:
        """Of each of the tenant's chains."""
        chains = await self.trail.chains(principal.tenant)
        return [KnownHead(chain, await self.sealing.head(chain)) for chain in chains]

    async def lines(self, principal: Principal) -> AsyncGenerator[bytes, None]:
        """Everything, one chain after the other, as JSON Lines."""
        for chain in await self.trail.chains(principal.tenant):
            head = await self._head_at_start(chain)
            async with aclosing(self._forwards(chain)) as links:
                async for link in links:
                    head = following(head, [digest_of(link.body)])
                    yield line_of(chain.name, link, head)

    async def _forwards(self, chain: Chain) -> AsyncGenerator[Link, None]:
        after = chain.start
        while links := await self.trail.read(chain.tenant, chain.name, after=after, limit=_PAGE):
            for link in links:
                yield link
            after = links[-1].number

    async def _latest_first(
        self, chains: Sequence[Chain], places: Mapping[str, int], query: AuditQuery
    ) -> AsyncGenerator[tuple[str, int, AuditRecord], None]:
        """The records of all chains from their places downwards, each with its chain and number."""
        async with AsyncExitStack() as stack:
            walks: dict[str, AsyncGenerator[tuple[int, AuditRecord], None]] = {}
            heads: dict[str, tuple[int, AuditRecord]] = {}
            for chain in chains:
                walks[chain.name] = walk = self._backwards(chain, min(places[chain.name], chain.last), query)
                await stack.enter_async_context(aclosing(walk))
                if (head := await anext(walk, None)) is not None:
                    heads[chain.name] = head
            while heads:
                name = max(heads, key=lambda name: heads[name][1].timestamp)
                yield name, *heads.pop(name)
                if (head := await anext(walks[name], None)) is not None:
                    heads[name] = head

    async def _backwards(
        self, chain: Chain, last: int, query: AuditQuery
    ) -> AsyncGenerator[tuple[int, AuditRecord], None]:
        """Records from that number downwards, as far as they may be late enough."""
        while last > chain.start:
            after = max(last - _PAGE, chain.start)
            for link in reversed(await self.trail.read(chain.tenant, chain.name, after=after, limit=last - after)):
                record = codec.load(AuditRecord, json.loads(link.body))
                if query.since is not None and record.timestamp < query.since - _SKEW:
                    return
                yield link.number, record
            last = after

    async def _head_at_start(self, chain: Chain) -> bytes:
        """Of what was filed away, as the first checkpoint after it says."""
        if chain.start:
            async with aclosing(self._forwards(chain)) as links:
                async for link in links:
                    checkpoint = checkpoint_of(link)
                    if checkpoint is not None and checkpoint.through == chain.start:
                        return checkpoint.head
        return GENESIS


def _wanted(query: AuditQuery, record: AuditRecord) -> bool:
    return (record.action != CHECKPOINT or CHECKPOINT in query.actions) and query.matches(record)


def _places(cursor: str | None) -> dict[str, int]:
    """Where to go on in each chain."""
    if cursor is None:
        return {}
    try:
        return codec.parse(dict[str, int], json.loads(cursor))
    except (ValueError, Invalid):
        raise Invalid("cursor", "is none that an answer gave", hint="leave it out to begin with the latest") from None
