"""Answers of several shards as one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeAlias

from codetether_adapters.redis.reader import Row

__all__ = ["merged"]

_Page: TypeAlias = Callable[[int, int, int], Awaitable[tuple[int, list[Row]]]]


async def merged(
    shards: Iterable[int], page: _Page, *, offset: int, limit: int, backwards: bool = False
) -> tuple[int, list[Row]]:
    """How many there are in all shards, and a stretch of them in the order of their members.

    ``page`` is asked with a shard, an offset and a limit. One shard skips by itself; of several each gives its share.
    """
    asked = [*shards]
    if len(asked) == 1:
        return await page(asked[0], offset, limit)
    pages = await asyncio.gather(*(page(shard, 0, offset + limit) for shard in asked))
    rows = sorted((row for _, found in pages for row in found), key=lambda row: row[0], reverse=backwards)
    return sum(total for total, _ in pages), rows[offset : offset + limit]
