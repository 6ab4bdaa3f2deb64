"""A chain of records, sealed here and there, to be tampered with."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, Final

from attrs import define, evolve, field

from codetether_adapters.signing import Ed25519
from codetether_core.audit import (
    CHECKPOINT,
    GENESIS,
    Checkpoint,
    Flaw,
    FlawKind,
    Link,
    Verification,
    digest_of,
    following,
    line_of,
)

__all__ = ["GENESIS", "SIGNER", "Made", "checked", "found", "renumbered"]

SIGNER: Final = Ed25519(b"s" * 32, b"test")
CHAIN: Final = "c.0"


@define(eq=False)
class Made:
    """A chain as an honest store has it."""

    links: list[Link] = field(factory=list)
    head: bytes = GENESIS
    sealed: int = 0

    @classmethod
    def of(cls, groups: Sequence[int], after: int = 0) -> Made:
        """Groups of so many records, each sealed, and some records after them."""
        made = cls()
        for size in groups:
            made.write(size)
            made.seal()
        made.write(after)
        return made

    def write(self, count: int) -> None:
        for _ in range(count):
            number = len(self.links) + 1
            self.add(
                {"id": digest_of(b"%d" % number).hex(), "actor": "alice", "action": "task.created", "tenant": "default"}
            )

    def seal(self, signer: Ed25519 = SIGNER, at: str = "") -> None:
        digests = [digest_of(link.body) for link in self.links[self.sealed :]]
        since, self.sealed = self.sealed, len(self.links)
        self.add_checkpoint(since, self.head, digests, signer, at)

    def add_checkpoint(
        self, since: int, head: bytes, digests: Sequence[bytes], signer: Ed25519 = SIGNER, at: str = ""
    ) -> None:
        made = Checkpoint.over(tenant="default", chain=CHAIN, since=since, head=head, digests=digests, key=signer.key)
        signed = evolve(made, signature=signer.sign(made.message))
        self.add({"action": CHECKPOINT, "tenant": "default", "timestamp": at, "metadata": signed.metadata})

    def add(self, record: Any) -> None:
        body = json.dumps(record).encode()
        self.head = following(self.head, [digest_of(body)])
        self.links.append(Link(len(self.links) + 1, body))

    def lines(self) -> list[bytes]:
        """As JSON Lines."""
        heads = accumulate(self.links, lambda head, link: following(head, [digest_of(link.body)]), initial=GENESIS)
        return [line_of(CHAIN, link, head) for link, head in zip(self.links, [*heads][1:], strict=True)]


def checked(links: Sequence[Link], last: int = 0, *, tenant: str = "default", **settings: Any) -> Verification:
    """What a walk along the links finds."""
    walk = Verification(tenant, CHAIN, SIGNER.verify, frozenset({SIGNER.key}), **settings)
    for link in links:
        walk.feed(link)
    walk.finish(last)
    return walk


def found(links: Sequence[Link], last: int = 0, **settings: Any) -> list[tuple[FlawKind, int, int]]:
    """Its flaws."""
    flaws: list[Flaw] = checked(links, last, **settings).flaws
    return [(each.kind, each.first, each.last) for each in flaws]


def renumbered(links: Sequence[Link]) -> list[Link]:
    """As though they had always been in this order."""
    return [Link(number, link.body) for number, link in enumerate(links, 1)]
