"""Reading documents: by key, or a stretch of their indexes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from codetether_adapters.redis.asking import Command
from codetether_adapters.redis.keys import topic_text
from codetether_adapters.redis.nodes import Nodes
from codetether_adapters.redis.scripts import PAGE, SIZES, THIN
from codetether_core.events import Topic

__all__ = ["Reader", "Row"]

_STRETCH: Final = 1000

Row: TypeAlias = tuple[Any, ...]
"""A member of an index, then the fields that were asked for, each ``None`` if there is no such thing any more."""


class Reader:
    """Reads what the shards' servers have now."""

    def __init__(self, nodes: Nodes) -> None:
        self.layout = nodes.layout
        self._nodes = nodes

    async def fields(self, shard: int, key: str, *names: str) -> Row:
        """Fields of one document."""
        found: Sequence[Any] = await self._nodes.call(shard, "HMGET", self.layout.key(shard, key), *names)
        return tuple(found)

    async def sizes(self, shard: int, indexes: Sequence[str]) -> Sequence[int]:
        """How many members each of these has."""
        sizes: Sequence[int] = await self._nodes.run(SIZES, shard, [self.layout.key(shard, each) for each in indexes])
        return sizes

    async def thin(self, topic: Topic) -> None:
        """Forget most of a topic that is about to be erased, a bounded stretch at a time: a server does nothing else
        meanwhile.
        """
        shard, (text, scope, tenant) = self.layout.of_scope(topic.tenant, topic.scope), topic_text(topic)
        keys = [self.layout.key(shard, name) for name in ("events", f"x:{text.decode()}")]
        values: Command = (self.layout.key(shard), text, scope, tenant, _STRETCH)
        left = await self._nodes.call(shard, "XLEN", keys[1])
        while left > _STRETCH:
            left = await self._nodes.run(THIN, shard, keys, *values)

    async def page(
        self,
        shard: int,
        indexes: Sequence[str],
        documents: str,
        fields: Sequence[str],
        *,
        limit: int,
        offset: int = 0,
        rank: int = 0,
        backwards: bool = False,
        after: str | bytes = "",
        until: str = "",
    ) -> tuple[int, list[Row]]:
        """How many members the indexes have, and a stretch of them in their common order, with fields of documents.

        A document's key is ``documents`` and what a member has after the first ``rank`` bytes. ``after`` and ``until``
        are bounds of members in the order that is asked for, the first excluded, the second included.
        """
        if not indexes:
            return 0, []
        keys = [self.layout.key(shard, index) for index in indexes]
        bounds: Command = (int(backwards), offset, limit, after, until)
        total, rows = await self._nodes.run(
            PAGE, shard, keys, self.layout.key(shard), documents, rank, *bounds, *fields
        )
        return total, [tuple(row) for row in rows]
