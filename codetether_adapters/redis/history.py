"""Reading the log as the servers have it: by the index of a topic, a bounded stretch at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from typing import Final

from attrs import frozen

from codetether_adapters.redis.asking import Command
from codetether_adapters.redis.entries import Line, lines
from codetether_adapters.redis.keys import topic_text
from codetether_adapters.redis.nodes import Nodes
from codetether_adapters.redis.scripts import HISTORY
from codetether_core.events import Topic

__all__ = ["History", "Search"]

_STEPS: Final = 2000
"""Lines of an index that a script looks at, which bounds how long it keeps a server."""

_ROWS: Final = 200
_BYTES: Final = 256 * 1024
"""What one request brings at most; and one line, however long."""

_END: Final = 2**53


@frozen(kw_only=True)
class Search:
    """What to look for: a topic's lines of these kinds (``None``: all), with a text in their body in lower case."""

    topic: Topic
    kinds: Collection[str] | None
    text: bytes = b""


class History:
    """The log of each shard."""

    def __init__(self, nodes: Nodes) -> None:
        self._nodes = nodes

    async def forwards(
        self, search: Search, shard: int, *, after: int = 0, until: int = _END, skip: int = 0
    ) -> AsyncIterator[Line]:
        """The lines after a place up to another, without the first ``skip`` of them."""
        low, high = f"({after}-0", f"{until}-0"
        while low:
            low, found, count = await self._stretch(search, shard, low, high, skip=skip)
            skip = max(skip - count, 0)
            for line in found:
                yield line

    async def backwards(self, search: Search, shard: int, *, after: int, until: int) -> AsyncIterator[Line]:
        """The same from the end on."""
        low, high = f"({after}-0", f"{until}-0"
        while high:
            high, found, _ = await self._stretch(search, shard, low, high, backwards=True)
            for line in found:
                yield line

    async def count(self, search: Search, shard: int) -> int:
        """How many lines there are."""
        low, total = "-", 0
        while low:
            low, _, count = await self._stretch(search, shard, low, "+", rows=0)
            total += count
        return total

    async def _stretch(
        self,
        search: Search,
        shard: int,
        low: str,
        high: str,
        *,
        rows: int = _ROWS,
        skip: int = 0,
        backwards: bool = False,
    ) -> tuple[str, list[Line], int]:
        """Where to go on (nothing: this was all), lines, and how many the index came by."""
        layout, topic = self._nodes.layout, topic_text(search.topic)[0].decode()
        keys = [layout.key(shard, name) for name in ("events", f"x:{topic}")]
        values: Command = (low, high, int(backwards), rows, _BYTES, _STEPS, search.text, skip)
        kinds: Command = (1,) if search.kinds is None else (0, *sorted(search.kinds))
        more, found, count = await self._nodes.run(HISTORY, shard, keys, *values, *kinds)
        return f"({more.decode()}" if more else "", lines(found), count
