"""The chain: each head is made of the one before and of the next record's digest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

from attrs import frozen

from codetether_core.ids import TenantId

__all__ = ["GENESIS", "Chain", "Link", "digest_of", "following"]

GENESIS: Final = bytes(32)
"""The head of a chain that has no records yet."""


@frozen
class Link:
    """A record in its chain, as the store keeps it: ``body`` is its JSON. Numbers count from 1 without gaps."""

    number: int
    body: bytes


@frozen(kw_only=True)
class Chain:
    """How far a tenant's chain goes: ``last`` is the last number that was given out, ``start`` what was filed away.

    A store has one chain of its own, or one for each of its shards, and those of the store that it was restored from.
    """

    tenant: TenantId
    name: str
    start: int = 0
    last: int = 0
    own: bool = True


def digest_of(body: bytes) -> bytes:
    """What stands for a record: 32 bytes of SHA-256."""
    return hashlib.sha256(body).digest()


def following(head: bytes, digests: Iterable[bytes]) -> bytes:
    """The head after records with these digests were added to a chain with that head."""
    for each in digests:
        head = hashlib.sha256(head + each).digest()
    return head
