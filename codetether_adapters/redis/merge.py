"""The lines of several shards in one order, each with a position that says how far every shard was read by then."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from typing import TypeAlias

from codetether_adapters.redis.entries import Line
from codetether_adapters.redis.positions import Vector, pack
from codetether_core.events import Record

__all__ = ["Given", "backwards", "forwards"]

Given: TypeAlias = Callable[[int, int], "int | None"]
"""The position that a shard's line was given when it arrived in this process, if that is remembered."""


async def forwards(walks: Mapping[int, AsyncIterator[Line]], after: Vector) -> AsyncIterator[Record]:
    """Oldest first: whoever reads on after a record's position has seen the records before it, and no others."""
    reached = [*after]
    heads = {shard: line async for shard, line in _first(walks)}
    while heads:
        shard = min(heads, key=lambda shard: (heads[shard].at, shard))
        reached[shard] = heads[shard].place
        yield heads[shard].record(pack(tuple(reached)))
        await _advance(heads, shard, walks)


async def backwards(
    walks: Mapping[int, AsyncIterator[Line]], shards: int, given: Given, before: int | None
) -> AsyncIterator[Record]:
    """Latest first, beginning with what comes before the record at ``before``.

    What arrived in this process has the position that it was given then. Of older ones a record's position covers
    what was still to come.
    """
    heads = {shard: line async for shard, line in _first(walks)}
    while heads:
        keys = {shard: (given(shard, line.place) or 0, line.at, shard) for shard, line in heads.items()}
        shard = max(heads, key=lambda shard: keys[shard])
        rest = tuple(heads[each].place if each in heads else 0 for each in range(shards))
        position = keys[shard][0] or pack(rest)
        if position != before and (before is None or not keys[shard][0] or position < before):
            yield heads[shard].record(position)
        await _advance(heads, shard, walks)


async def _first(walks: Mapping[int, AsyncIterator[Line]]) -> AsyncIterator[tuple[int, Line]]:
    for shard, walk in walks.items():
        line = await anext(walk, None)
        if line is not None:
            yield shard, line


async def _advance(heads: dict[int, Line], shard: int, walks: Mapping[int, AsyncIterator[Line]]) -> None:
    line = await anext(walks[shard], None)
    if line is None:
        del heads[shard]
    else:
        heads[shard] = line
