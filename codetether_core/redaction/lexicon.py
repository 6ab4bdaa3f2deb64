"""Many words looked for in a text at once, at a cost that hardly grows with their number.

Wherever a word of eight characters stands, it covers all of one of the groups of four that begin at multiples of five,
and longer words let groups lie further apart. So it is enough to look at these groups, instead of at all of the text
for each word. Where one is a group that words begin with, their order tells which of them stand there.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

from attrs import frozen

__all__ = ["Lexicon"]

_GROUP: Final = 4
_LONGEST_START: Final = 16
_FEW: Final = 64
"""So few beginnings are found sooner one by one, in a text that is not short."""


@frozen(eq=False, repr=False)
class Lexicon:
    """``words`` in order, the ``longest`` having so many characters."""

    words: Sequence[str]
    longest: int
    _within: Mapping[str, str]
    _start: int
    _starts: frozenset[str]
    _groups: Mapping[str, Collection[int]]
    _shorter: frozenset[str]

    @classmethod
    def of(cls, words: Iterable[str]) -> Lexicon:
        """Of words that have four characters at least, and better eight."""
        ordered = sorted(set(words))
        start = min((_LONGEST_START, *map(len, ordered)))
        starts = frozenset(word[:start] for word in ordered)
        groups: dict[str, set[int]] = {}
        for each in starts:
            for offset in range(start - _GROUP + 1):
                groups.setdefault(each[offset : offset + _GROUP], set()).add(offset)
        shorter = frozenset(each[:length] for each in starts for length in range(1, start))
        return cls(ordered, max(map(len, ordered), default=0), _within(ordered), start, starts, groups, shorter)

    def places(self, text: str) -> Sequence[int]:
        """Where in the text the first characters of a word stand, in order."""
        if len(self._starts) <= min(_FEW, len(text) // 8):
            return sorted({place for start in self._starts for place in _places(text, start)})
        step = self._start - _GROUP + 1
        groups = [text[place : place + _GROUP] for place in range(0, len(text) - _GROUP + 1, step)]
        if self._groups.keys().isdisjoint(groups):
            return []
        near = {
            number * step - offset
            for number, group in enumerate(groups)
            if group in self._groups
            for offset in self._groups[group]
        }
        return sorted(place for place in near if place >= 0 and text[place : place + self._start] in self._starts)

    def at(self, text: str, place: int) -> Iterator[str]:
        """The words that stand at such a place, the longest first.

        What stands there has its place in their order; the last that is not behind it begins with all of them.
        """
        word = self.words[bisect_right(self.words, text[place : place + self.longest]) - 1]
        while word:
            if text.startswith(word, place):
                yield word
            word = self._within[word]

    def endings(self, text: str, places: Sequence[int]) -> Iterator[str]:
        """The ends of the text with which words may begin that go on after it: all that do are among them.

        The longest comes first; ``places`` are those of this text.
        """
        for place in places[bisect_left(places, len(text) - self.longest + 1) :]:
            yield text[place:]
        for length in range(min(self._start - 1, len(text)), 0, -1):
            if text[-length:] in self._shorter:
                yield text[-length:]

    def going_on(self, beginning: str) -> Iterator[str]:
        """The words that begin so, and are longer."""
        number = bisect_right(self.words, beginning)
        while number < len(self.words) and self.words[number].startswith(beginning):
            yield self.words[number]
            number += 1


def _within(ordered: Iterable[str]) -> Mapping[str, str]:
    """Of each word the longest other that it begins with; such come before it in order."""
    within: dict[str, str] = {}
    word = ""
    for each in ordered:
        while not each.startswith(word):
            word = within[word]
        within[each] = word
        word = each
    return within


def _places(text: str, part: str) -> Iterator[int]:
    place = text.find(part)
    while place >= 0:
        yield place
        place = text.find(part, place + 1)
