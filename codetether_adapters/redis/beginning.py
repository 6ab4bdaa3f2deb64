"""Beginning with the servers: what the store in them is."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Sequence
from typing import Final

from redis.exceptions import ResponseError

from codetether_adapters.redis.address import address
from codetether_adapters.redis.nodes import Nodes
from codetether_adapters.redis.scripts import BEGIN
from codetether_core.errors import Invalid, Unavailable
from codetether_core.ports import Migrations

__all__ = ["SCHEMA", "begin", "migrate"]

SCHEMA: Final = 1
"""The version of the data that this program knows."""

_MIN_READER: Final = 1
_STEPS: Final = (1,)
_MEMBERS: Final = ("schema", "min_reader", "shards", "epoch")


async def begin(nodes: Nodes) -> tuple[str, bool]:
    """The epoch of the store on these servers, made if there is none, and whether it was.

    It has as many shards as it was made with; ``Invalid`` if the address asks for another number.
    """
    new = secrets.token_hex(8)
    asked = (SCHEMA, _MIN_READER, nodes.layout.shards, new)
    epoch = _epoch(nodes, await _told(nodes, nodes.run(BEGIN, 0, (_key(nodes),), *asked, durable=True)))
    return epoch, epoch == new


async def migrate(url: str, *, check: bool = False) -> Migrations:
    """Make the store if there is none, or with ``check`` only look; which steps it has then."""
    nodes = Nodes(address(url))
    try:
        if not check:
            await begin(nodes)
        elif await nodes.call(0, "EXISTS", _key(nodes)):
            _epoch(nodes, await _told(nodes, nodes.call(0, "HMGET", _key(nodes), *_MEMBERS)))
        else:
            return Migrations((), _STEPS)
        return Migrations(_STEPS, ())
    finally:
        await nodes.close()


def _key(nodes: Nodes) -> str:
    """Where a store says what it is."""
    return nodes.layout.key(0, "meta")


async def _told(nodes: Nodes, asking: Awaitable[Sequence[bytes | None]]) -> Sequence[str]:
    """What is said there; ``Invalid`` if no store of ours would say it."""
    foreign = Invalid(
        "store",
        f"has something of another program at {_key(nodes)}",
        hint="add prefix=another to its address, or name another database",
    )
    try:
        texts = [value.decode() for value in await asking if value is not None]
    except Unavailable as error:
        if isinstance(error.__cause__, ResponseError) and str(error.__cause__).startswith("WRONGTYPE"):
            raise foreign from None
        raise
    if len(texts) < len(_MEMBERS):
        raise foreign
    return texts


def _epoch(nodes: Nodes, texts: Sequence[str]) -> str:
    """The store's, if it is one that this program can use, spread as the address wants it."""
    schema, least, shards, epoch = texts
    if int(least) > SCHEMA:
        raise Unavailable(
            f"The store at {nodes.address.name} needs a newer CodeTether: its data are of version {schema},"
            f" this program knows {SCHEMA}",
            hint="install the newer release, or restore a backup made by this one",
        )
    if not nodes.address.chosen:
        nodes.spread(int(shards))
    elif int(shards) != nodes.layout.shards:
        raise Invalid(
            "store",
            f"is spread over {shards} shards, not {nodes.layout.shards}; that cannot be changed later",
            hint=f"add shards={shards} to its address, or give the new store a prefix of its own",
        )
    return epoch
