"""Beginning with the servers: what the store in them is."""

from __future__ import annotations

import secrets
from typing import Any, Final

from redis.exceptions import ResponseError

from codetether_adapters.redis.nodes import Nodes
from codetether_adapters.redis.scripts import BEGIN
from codetether_core.errors import Invalid, Unavailable

__all__ = ["SCHEMA", "begin"]

SCHEMA: Final = 1
"""The version of the data that this program knows."""

_MIN_READER: Final = 1


async def begin(nodes: Nodes) -> str:
    """The epoch of the store on these servers, made if there is none.

    It has as many shards as it was made with; ``Invalid`` if the address asks for another number.
    """
    key = nodes.layout.key(0, "meta")
    try:
        found: list[Any] = await nodes.run(
            BEGIN, 0, (key,), SCHEMA, _MIN_READER, nodes.layout.shards, secrets.token_hex(8), durable=True
        )
    except Unavailable as error:
        if isinstance(error.__cause__, ResponseError) and str(error.__cause__).startswith("WRONGTYPE"):
            raise _foreign(key) from None
        raise
    if None in found:
        raise _foreign(key)
    texts: list[str] = [value.decode() for value in found]
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


def _foreign(key: str) -> Invalid:
    return Invalid(
        "store",
        f"has something of another program at {key}",
        hint="add prefix=another to its address, or name another database",
    )
