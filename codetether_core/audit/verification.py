"""Walking along a chain: which records are not as they were when they were sealed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any, Final

from attrs import Factory, define, frozen

from codetether_core.audit.chain import FILED, GENESIS, Link, digest_of, following
from codetether_core.audit.checkpoint import CHECKPOINT, Checkpoint

__all__ = ["Flaw", "FlawKind", "Verification"]

_OWN_WORDS: Final = CHECKPOINT.encode(), FILED.encode()


class FlawKind(StrEnum):
    """What is wrong with records."""

    EDITED = "edited"
    MISSING = "missing"
    REORDERED = "reordered"
    REPEATED = "repeated"
    TRUNCATED = "truncated"
    FORGED = "forged"
    FOREIGN = "foreign"
    DIVERGED = "diverged"


_SAID: Final[Mapping[FlawKind, str]] = {
    FlawKind.EDITED: "was changed after it was written",
    FlawKind.MISSING: "is not there",
    FlawKind.REORDERED: "is not in its place",
    FlawKind.REPEATED: "is there more than once",
    FlawKind.TRUNCATED: "was cut off the end",
    FlawKind.FORGED: "is a checkpoint that its key did not sign",
    FlawKind.FOREIGN: "is a checkpoint signed with a key that is not trusted",
    FlawKind.DIVERGED: "does not lead to the head that was kept elsewhere",
}


@frozen(order=True)
class Flaw:
    """Records ``first`` to ``last`` of a chain, and what is wrong with them."""

    chain: str
    first: int
    last: int
    kind: FlawKind

    def __str__(self) -> str:
        """For people."""
        which = f"record {self.first}" if self.first == self.last else f"each of records {self.first} to {self.last}"
        if self.kind is FlawKind.EDITED and self.first != self.last:
            which = f"one of records {self.first} to {self.last}"
        return f"{which} of chain {self.chain} {_SAID[self.kind]}"


@define
class Verification:
    """One chain, its records fed in the order in which they were found.

    ``genuine`` checks a checkpoint's signature against the key that it names, and is content with one that names none.
    ``keys`` are the trusted ones; without any, each is. ``known`` has heads that were kept elsewhere, by number.
    ``sealed`` is the number up to which checkpoints vouch for what was found. ``filed`` has the blobs into which
    records went up to a number.
    """

    chain: str
    genuine: Callable[[Checkpoint], bool]
    keys: frozenset[str] = frozenset()
    known: Mapping[int, bytes] = Factory(dict[int, bytes])
    records: int = 0
    checkpoints: int = 0
    signers: set[str] = Factory(set[str])
    sealed: int = 0
    filed: dict[int, str] = Factory(dict[int, str])
    _flaws: set[Flaw] = Factory(set[Flaw])
    _begins: int = 0
    _head: bytes | None = None
    _stated: bytes | None = None
    _last: int = 0
    _group: dict[int, bytes] = Factory(dict[int, bytes])
    _seals: set[int] = Factory(set[int])

    def feed(self, link: Link, stated: bytes | None = None) -> None:
        """The next record; ``stated`` is the head that a line says the chain has with it."""
        number, digest = link.number, digest_of(link.body)
        if not self.records:
            self._begin(number)
        self.records += 1
        if number < self._begins:
            self._add(FlawKind.REORDERED, number)
            self._begins = number
            if self._head is not None:
                return
            self._begin(number)
        if number in self._group or number <= self.sealed:
            self._add(FlawKind.REORDERED if self._is_missed(number) else FlawKind.REPEATED, number)
            return
        self._group[number] = digest
        if number < self._last:
            self._add(FlawKind.REORDERED, number)
        else:
            self._compare(number, digest, stated)
            self._last = number
        action, record = _own_word(link.body)
        if action == CHECKPOINT:
            self._seals.add(number)
            self._seal(number, Checkpoint.read(record))
        elif action == FILED:
            self.filed[record["metadata"]["last"]] = record["metadata"]["blob"]

    def finish(self, last: int = 0) -> list[Flaw]:
        """There are no more records, though the store says that it gave out numbers up to ``last``; what is wrong."""
        through = max(self._group, default=self.sealed)
        if self._begins > 1 and self._begins - 1 not in self.filed:
            self._add(FlawKind.MISSING, 1, self._begins - 1)
        self._lead(through)
        self._add_missing(self.sealed + 1, through)
        told = max(last, *self.known, 0)
        if told > max(self._last, self.sealed):
            self._add(FlawKind.TRUNCATED, max(self._last, self.sealed) + 1, told)
        return self.flaws

    @property
    def flaws(self) -> list[Flaw]:
        """What was found so far, in order."""
        return sorted(self._flaws)

    @property
    def unsealed(self) -> int:
        """How many records that are no checkpoints themselves come after the last one."""
        return len(self._group.keys() - self._seals)

    @property
    def last(self) -> int:
        """The highest number that was found."""
        return self._last

    def _begin(self, number: int) -> None:
        self._begins, self.sealed, self._last = number, number - 1, number - 1
        if number == 1:
            self._head = self._stated = GENESIS

    def _compare(self, number: int, digest: bytes, stated: bytes | None) -> None:
        """Whether the line before leads to this one, if lines say where they lead."""
        before = self._stated if number == self._last + 1 else None
        if stated is not None and before is not None and following(before, [digest]) != stated:
            self._add(FlawKind.EDITED, number)
        self._stated = stated

    def _seal(self, number: int, checkpoint: Checkpoint | None) -> None:
        if checkpoint is None or not self._is_of_here(number, checkpoint) or not self.genuine(checkpoint):
            self._add(FlawKind.FORGED, number)
            return
        if self.keys and checkpoint.key not in self.keys:
            self._add(FlawKind.FOREIGN, number)
            return
        self.checkpoints += 1
        self.signers.add(checkpoint.key)
        if self._head is None:
            if checkpoint.through < self._begins - 1:
                return
            if checkpoint.through == self._begins - 1:
                self._head = checkpoint.head
                return
        if checkpoint.through > self.sealed:
            if self._head is None or self._lead(checkpoint.through) != checkpoint.head:
                self._name(checkpoint)
            self._head, self.sealed = checkpoint.head, checkpoint.through
            self._group = {each: digest for each, digest in self._group.items() if each > self.sealed}
        elif checkpoint.through == self.sealed and checkpoint.head != self._head:
            self._add(FlawKind.FORGED, number)

    def _is_of_here(self, number: int, checkpoint: Checkpoint) -> bool:
        return (
            checkpoint.chain == self.chain
            and checkpoint.through < number
            and checkpoint.through - checkpoint.since == len(checkpoint.digests) > 0
        )

    def _lead(self, through: int) -> bytes | None:
        """The head that the records lead to from what is sealed; ``None`` if one is missing, or the head is unknown."""
        head, number = self._head, self.sealed
        while head is not None and number < through:
            number += 1
            digest = self._group.get(number)
            head = None if digest is None else following(head, [digest])
            if head is not None and self.known.get(number, head) != head:
                self._add(FlawKind.DIVERGED, number)
        return head

    def _name(self, checkpoint: Checkpoint) -> None:
        """Which records of the group are not what the checkpoint vouches for."""
        before = len(self._flaws)
        self._add_missing(self.sealed + 1, checkpoint.through)
        for number, digest in self._group.items():
            if checkpoint.since < number <= checkpoint.through and not checkpoint.recognizes(number, digest):
                moved = checkpoint.place_of(digest) is not None
                self._add(FlawKind.REORDERED if moved else FlawKind.EDITED, number)
        if self._head is not None and len(self._flaws) == before:
            named = any(self.sealed < each.first <= checkpoint.through for each in self._flaws)
            if not named:
                self._add(FlawKind.EDITED, self.sealed + 1, checkpoint.through)

    def _is_missed(self, number: int) -> bool:
        return any(each.kind is FlawKind.MISSING and each.first <= number <= each.last for each in self._flaws)

    def _add_missing(self, first: int, last: int) -> None:
        for low, high in _gaps(first, last, self._group):
            self._add(FlawKind.MISSING, low, high)

    def _add(self, kind: FlawKind, first: int, last: int = 0) -> None:
        self._flaws.add(Flaw(self.chain, first, last or first, kind))


def _own_word(body: bytes) -> tuple[str, Any]:
    """What the trail says of itself, as action and record; nothing of any other record."""
    if not any(each in body for each in _OWN_WORDS):
        return "", None
    try:
        record = json.loads(body)
        return record["action"], record
    except (KeyError, TypeError, ValueError):  # it was tampered with
        return "", None


def _gaps(first: int, last: int, present: Iterable[int]) -> Iterator[tuple[int, int]]:
    """The stretches from ``first`` to ``last`` that have nothing present."""
    for number in sorted(each for each in present if first <= each <= last):
        if first < number:
            yield first, number - 1
        first = number + 1
    if first <= last:
        yield first, last
