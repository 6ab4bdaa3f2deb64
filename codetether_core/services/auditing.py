"""Reading the trail: looking for records, and all of it for whoever wants to check or keep it elsewhere."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
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
    record_in,
)
from codetether_core.errors import Invalid
from codetether_core.ports import AuditLog
from codetether_core.services.sealing import Head, Sealing

__all__ = ["Auditing", "FoundRecords", "KnownHead"]

_PAGE: Final = 200
_LOOKED_AT: Final = 10_000
"""Records that one question looks at; who wants to go on says so."""


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
        given = _places(cursor)
        places = {chain.name: given[chain.name] for chain in chains if chain.name in given}
        found: list[AuditRecord] = []
        looked = 0
        async with aclosing(self._latest_first(chains, {**places}, query)) as records:
            async for chain, number, record in records:
                if len(found) == limit or looked == _LOOKED_AT:
                    return FoundRecords((*found,), json.dumps(places, separators=(",", ":")))
                looked += 1
                places[chain] = number
                if _wanted(query, record):
                    found.append(record)
        return FoundRecords((*found,), None)

    async def heads(self, principal: Principal) -> Sequence[KnownHead]:
        """Of each of the tenant's chains, but of those whose beginning nobody vouches for."""
        heads = [(chain, await self.sealing.head(chain)) for chain in await self.trail.chains(principal.tenant)]
        return [KnownHead(chain, head) for chain, head in heads if head is not None]

    async def lines(self, principal: Principal) -> AsyncGenerator[bytes, None]:
        """Everything, one chain after the other, as JSON Lines."""
        for chain in await self.trail.chains(principal.tenant):
            head: bytes | None = None
            async with aclosing(self._forwards(chain)) as links:
                async for link in links:
                    if head is None:
                        head = await self.sealing.head_at(chain, link.number - 1) or GENESIS
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
                walks[chain.name] = walk = self._backwards(chain, places.get(chain.name), query)
                await stack.enter_async_context(aclosing(walk))
                if (head := await anext(walk, None)) is not None:
                    heads[chain.name] = head
            while heads:
                name = max(heads, key=lambda name: heads[name][1].timestamp)
                yield name, *heads.pop(name)
                if (head := await anext(walks[name], None)) is not None:
                    heads[name] = head

    async def _backwards(
        self, chain: Chain, before: int | None, query: AuditQuery
    ) -> AsyncGenerator[tuple[int, AuditRecord], None]:
        """Records before that number, as far down as a whole page of them is too old."""
        while links := await self.trail.latest(chain.tenant, chain.name, before=before, limit=_PAGE):
            records = [(link.number, _record(link)) for link in links]
            for number, record in records:
                if record is not None:
                    yield number, record
            if query.since is not None and all(each is None or each.timestamp < query.since for _, each in records):
                return
            before = links[-1].number


@frozen
class _Cursor:
    """The number, of each chain, before which to go on."""

    places: Mapping[str, int]


def _record(link: Link) -> AuditRecord | None:
    """A record; ``None`` for what none of ours can have been, which is for ``verify`` to name."""
    said = record_in(link.body)
    try:
        return None if said is None else codec.parse(AuditRecord, said)
    except Invalid:
        return None


def _wanted(query: AuditQuery, record: AuditRecord) -> bool:
    return (record.action != CHECKPOINT or CHECKPOINT in query.actions) and query.matches(record)


def _places(cursor: str | None) -> Mapping[str, int]:
    """Where to go on in each chain."""
    if cursor is None:
        return {}
    try:
        return codec.parse(_Cursor, {"places": json.loads(cursor)}).places
    except (Invalid, RecursionError, ValueError):
        raise Invalid("cursor", "is none that an answer gave", hint="leave it out to begin with the latest") from None
