"""Walking along a chain: which records are not as they were when they were sealed."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from operator import attrgetter
from typing import Any, Final

from attrs import Factory, define

from codetether_core.audit.chain import GENESIS, Link, digest_of, following
from codetether_core.audit.checkpoint import CHECKPOINT, Checkpoint
from codetether_core.audit.flaws import Flaw, FlawKind, LateSeal
from codetether_core.audit.words import Filing, filing_in, record_in

__all__ = ["Verification"]

_LATE: Final = timedelta(hours=1)
"""Servers seal every few seconds, and what a server that died left behind when the next one is there."""


@define
class Verification:
    """One tenant's chain, its records fed in the order in which they were found.

    ``verify`` checks a signature against a key and a message. ``keys`` are the trusted ones; without any, each is.
    ``known`` has heads that were kept elsewhere, by number. ``sealed`` is the number up to which checkpoints vouch for
    what was found; ``filed`` are the filings that they vouch for, ``late`` tells what they vouch for since late only.
    """

    tenant: str
    chain: str
    verify: Callable[[str, bytes, bytes], bool]
    keys: frozenset[str] = frozenset()
    known: Mapping[int, bytes] = Factory(dict[int, bytes])
    records: int = 0
    checkpoints: int = 0
    signers: set[str] = Factory(set[str])
    sealed: int = 0
    filed: list[Filing] = Factory(list[Filing])
    late: list[LateSeal] = Factory(list[LateSeal])
    _flaws: set[Flaw] = Factory(set[Flaw])
    _missing: list[tuple[int, int]] = Factory(list[tuple[int, int]])
    _filings: dict[int, Filing] = Factory(dict[int, Filing])
    _begins: int = 0
    _head: bytes | None = None
    _stated: bytes | None = None
    _last: int = 0
    _group: dict[int, bytes] = Factory(dict[int, bytes])
    _order: list[int] = Factory(list[int])
    """The numbers of the group, as a heap: each is put in and taken out once, however many checkpoints there are."""
    _seals: set[int] = Factory(set[int])
    _written: dict[int, datetime] = Factory(dict[int, datetime])
    _blamed: set[int] = Factory(set[int])

    def feed(self, link: Link, stated: bytes | None = None) -> None:
        """The next record; ``stated`` is the head that a line says the chain has with it."""
        number, digest = link.number, digest_of(link.body)
        if not self.records:
            self._begin(number)
        self.records += 1
        if not self._place(number, digest, stated):
            return
        record = record_in(link.body)
        if record is None:
            self._add(FlawKind.EDITED, number)
            return
        if record.get("tenant") != self.tenant:
            self._add(FlawKind.MISPLACED, number)
        if record.get("action") == CHECKPOINT:
            self._seals.add(number)
            self._seal(number, Checkpoint.read(record), _moment(record))
            return
        if (moment := _moment(record)) is not None:
            self._written[number] = moment
        if (filing := filing_in(record)) and filing.chain == self.chain:
            self._filings[number] = filing

    def finish(self, last: int = 0) -> list[Flaw]:
        """There are no more records, though the store says that it gave out numbers up to ``last``; what is wrong."""
        through = max(self._group, default=self.sealed)
        if self._begins > 1 and all(each.last != self._begins - 1 for each in self.filed):
            self._add(FlawKind.MISSING, 1, self._begins - 1)
        self._lead(through)
        self._miss(self.sealed + 1, through, sorted(self._group))
        told = max(last, *self.known, 0)
        if told > max(self._last, self.sealed):
            self._add(FlawKind.TRUNCATED, max(self._last, self.sealed) + 1, told)
        return self.flaws

    @property
    def flaws(self) -> list[Flaw]:
        """What was found so far, in order."""
        return sorted(self._flaws, key=attrgetter("first", "last", "kind"))

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

    def _place(self, number: int, digest: bytes, stated: bytes | None) -> bool:
        """Take note of where a record was found; whether there is something to look at that was not seen before."""
        if number < self._begins:
            self._add(FlawKind.REORDERED, number)
            self._begins = number
            if self._head is not None:
                return False
            self._begin(number)
        if number in self._group or number <= self.sealed:
            self._add(FlawKind.REORDERED if self._is_missed(number) else FlawKind.REPEATED, number)
            return False
        self._group[number] = digest
        heappush(self._order, number)
        if number < self._last:
            self._add(FlawKind.REORDERED, number)
            return True
        before = self._stated if number == self._last + 1 else None
        if stated is not None and before is not None and following(before, [digest]) != stated:
            self._add(FlawKind.EDITED, number)
        self._stated, self._last = stated, number
        return True

    def _seal(self, number: int, checkpoint: Checkpoint | None, at: datetime | None) -> None:
        if checkpoint is None or not checkpoint.is_of(self.chain, number) or not checkpoint.is_genuine(self.verify):
            self._add(FlawKind.FORGED, number)
            return
        if not checkpoint.key and self.keys and not self.signers:
            return  # from before there was a key: what it vouches for the first signed one vouches for as well
        if (not checkpoint.key and any(self.signers)) or (self.keys and checkpoint.key not in self.keys):
            self._add(FlawKind.FOREIGN, number)
            return
        self.checkpoints += 1
        self.signers.add(checkpoint.key)
        if self._head is None and checkpoint.through < self._begins:
            if checkpoint.through == self._begins - 1:
                self._head = checkpoint.head
            return
        if checkpoint.through > self.sealed:
            sound = self._head is not None and self._lead(checkpoint.through) == checkpoint.head
            found = self._taken(checkpoint.through)
            self._notice_delay(found, checkpoint.through, at)
            if not sound:
                self._name(checkpoint, found)
            self._head, self.sealed = checkpoint.head, checkpoint.through
            self.filed += [self._filings.pop(each) for each in found if each in self._filings]
        elif checkpoint.through == self.sealed and checkpoint.head != self._head:
            self._add(FlawKind.FORGED, number)

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

    def _taken(self, through: int) -> dict[int, bytes]:
        """The records of the group up to that number, in order; they are in it no longer."""
        found: dict[int, bytes] = {}
        while self._order and self._order[0] <= through:
            number = heappop(self._order)
            found[number] = self._group.pop(number)
        return found

    def _notice_delay(self, found: Iterable[int], through: int, at: datetime | None) -> None:
        """Of what was written, not of checkpoints, which the next one vouches for whenever there is something new."""
        written = [(self._written.pop(number), number) for number in found if number in self._written]
        oldest, first = min(written, default=(at, 0))
        if at is not None and oldest is not None and at - oldest > _LATE:
            self.late.append(LateSeal(self.chain, first, through, at - oldest))

    def _name(self, checkpoint: Checkpoint, found: Mapping[int, bytes]) -> None:
        """Which of these records are not what the checkpoint vouches for."""
        before = len(self._flaws)
        named = any(number in self._blamed for number in found)
        self._miss(self.sealed + 1, checkpoint.through, found)
        for number, moved in checkpoint.compare(found).items():
            self._add(FlawKind.REORDERED if moved else FlawKind.EDITED, number)
        if self._head is not None and len(self._flaws) == before and not named:
            self._add(FlawKind.EDITED, self.sealed + 1, checkpoint.through)

    def _miss(self, first: int, last: int, present: Iterable[int]) -> None:
        for low, high in _gaps(first, last, present):
            self._missing.append((low, high))
            self._add(FlawKind.MISSING, low, high)

    def _is_missed(self, number: int) -> bool:
        """Whether it is one of those that were not there; stretches of them are found in order."""
        at = bisect_right(self._missing, number, key=lambda stretch: stretch[0]) - 1
        return at >= 0 and number <= self._missing[at][1]

    def _add(self, kind: FlawKind, first: int, last: int = 0) -> None:
        self._flaws.add(Flaw(self.chain, first, last or first, kind))
        self._blamed.add(first)


def _moment(record: Mapping[str, Any]) -> datetime | None:
    """When it says that it was written."""
    try:
        said = datetime.fromisoformat(str(record.get("timestamp")))
        return said.replace(tzinfo=UTC) if said.tzinfo is None else said.astimezone(UTC)
    except (OverflowError, ValueError):
        return None


def _gaps(first: int, last: int, present: Iterable[int]) -> Iterator[tuple[int, int]]:
    """The stretches from ``first`` to ``last`` that have nothing present; what there is comes in order."""
    for number in present:
        if first < number:
            yield first, number - 1
        first = number + 1
    if first <= last:
        yield first, last
