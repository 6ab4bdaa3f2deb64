"""The audit trail in Redis: each shard has a chain of its own, for what is written there."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from codetether_adapters.redis.chains import chain_of, chain_text, shard_of
from codetether_adapters.redis.keys import unframed
from codetether_adapters.redis.nodes import Nodes
from codetether_adapters.redis.scripts import FILE, KEEP
from codetether_adapters.redis.tail import Tail
from codetether_adapters.redis.writer import Writer
from codetether_adapters.tail import Entry, encoded
from codetether_core.audit import Chain, Link
from codetether_core.errors import Conflict
from codetether_core.events import AUDIT, Event
from codetether_core.ids import TenantId

__all__ = ["RedisAudit"]


class RedisAudit:
    """All chains of one store (an ``AuditLog``)."""

    def __init__(self, nodes: Nodes, writer: Writer, tail: Tail) -> None:
        self._nodes = nodes
        self._writer = writer
        self._tail = tail

    async def append(self, events: Sequence[Event], *, chain: str = "") -> None:
        """In the shard that has the chain, or the tenant's own."""
        if chain and not self.is_own(chain):
            raise Conflict("This chain has ended: the store has a new epoch", id=chain)
        shards: dict[int, list[Entry]] = {}
        for entry in encoded(events):
            shards.setdefault(self._shard(entry[0].topic.tenant, chain), []).append(entry)
        for shard, entries in shards.items():
            await self._writer.write(shard, entries=entries)

    async def chains(self, tenant: TenantId | None = None) -> Sequence[Chain]:
        """What every shard knows of its own."""
        found = await asyncio.gather(*map(self._chains, self._nodes.layout.every))
        chains = [chain for shard in found for chain in shard if tenant in (None, chain.tenant)]
        return sorted(chains, key=lambda chain: (chain.tenant, chain.name))

    async def read(self, tenant: TenantId, chain: str, *, after: int = 0, limit: int) -> Sequence[Link]:
        """A stretch of a stream, whose ids are the numbers."""
        shard = self._shard(tenant, chain)
        key = self._nodes.layout.key(shard, f"audit:{chain_text(tenant, chain)}")
        entries = await self._nodes.call(shard, "XRANGE", key, f"{after + 1}-0", "+", "COUNT", limit)
        return [Link(int(id.partition(b"-")[0]), body) for id, (_, body) in entries]

    async def latest(self, tenant: TenantId, chain: str, *, before: int | None = None, limit: int) -> Sequence[Link]:
        """The same from the other end."""
        shard = self._shard(tenant, chain)
        key = self._nodes.layout.key(shard, f"audit:{chain_text(tenant, chain)}")
        end = "+" if before is None else f"({max(before, 0)}-0"
        entries = await self._nodes.call(shard, "XREVRANGE", key, end, "-", "COUNT", limit)
        return [Link(int(id.partition(b"-")[0]), body) for id, (_, body) in entries]

    def is_own(self, chain: str) -> bool:
        """Every shard has one, of the present epoch."""
        return chain == chain_of(self._tail.epoch, shard_of(chain, self._nodes.layout.shards))

    async def keep(self, tenant: TenantId, chain: str, start: int, links: Sequence[Link]) -> None:
        """In the shard that its name leads to."""
        last = max((link.number for link in links), default=start)
        values = [value for link in links for value in (link.number, link.body)]
        shard, text = self._shard(tenant, chain), chain_text(tenant, chain)
        keys = self._keys(shard, text)
        await self._nodes.run(
            KEEP, shard, keys, self._nodes.layout.key(shard), text, start, last, *values, durable=True
        )

    async def trim(self, tenant: TenantId, chain: str, through: int) -> int:
        """Cut the old end of a stream off."""
        shard, text = self._shard(tenant, chain), chain_text(tenant, chain)
        gone: int = await self._nodes.run(
            FILE, shard, self._keys(shard, text), self._nodes.layout.key(shard), text, through, durable=True
        )
        return gone

    async def _chains(self, shard: int) -> Sequence[Chain]:
        layout = self._nodes.layout
        lasts, starts = await asyncio.gather(
            *(self._nodes.call(shard, "HGETALL", layout.key(shard, name)) for name in ("chains", "chain-starts"))
        )
        begun = dict(_pairs(starts))
        chains = []
        for text, last in _pairs(lasts):
            tenant, name = (part.decode() for part in unframed(text))
            start = int(begun.get(text, 0))
            chains.append(Chain(tenant=TenantId(tenant), name=name, start=start, last=int(last), own=self.is_own(name)))
        return chains

    def _keys(self, shard: int, text: str) -> Sequence[str]:
        return [self._nodes.layout.key(shard, name) for name in (f"audit:{text}", "chains", "chain-starts")]

    def _shard(self, tenant: TenantId, chain: str) -> int:
        layout = self._nodes.layout
        return shard_of(chain, layout.shards) if chain else layout.of_scope(tenant, AUDIT)


def _pairs(reply: Sequence[bytes] | dict[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    """The fields of a hash, which the second and the third version of the protocol tell in different ways."""
    if isinstance(reply, dict):
        return [*reply.items()]
    return [*zip(reply[::2], reply[1::2], strict=True)]
