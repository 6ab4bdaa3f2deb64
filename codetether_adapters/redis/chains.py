"""The names of the chains of the audit trail: the epoch, and the shard that has it."""

from __future__ import annotations

from codetether_adapters.redis.keys import framed
from codetether_adapters.tail import Entry
from codetether_core.ids import TenantId

__all__ = ["arguments", "chain_of", "chain_text", "shard_of"]


def chain_of(epoch: str, shard: int) -> str:
    """The chain that is added to in a shard. After a loss there is a new epoch, and a new chain."""
    return f"{epoch}.{shard}"


def shard_of(chain: str, shards: int) -> int:
    """The shard that has a chain: its own, or where one of another store was put."""
    number = chain.rpartition(".")[2]
    return int(number) % shards if number.isdecimal() and "." in chain else 0


def chain_text(tenant: TenantId, chain: str) -> str:
    """A tenant's chain, as keys and fields have it."""
    return framed(tenant, chain)


def arguments(entries: list[Entry], chain: str) -> list[str | bytes | int]:
    """How many records there are, then each, as the script takes them."""
    values: list[str | bytes | int] = [len(entries)]
    for event, body in entries:
        values += chain_text(event.topic.tenant, chain), body
    return values
