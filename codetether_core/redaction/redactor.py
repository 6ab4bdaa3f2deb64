"""Finding secrets in text that comes whole, or in pieces that may be cut anywhere.

Of a piece the longest end is held back that may be the beginning of a secret; the next piece is read after it. What
was told so far, with what is told next, thus never has a secret in it, however the text was cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import takewhile
from typing import Final, TypeAlias

from attrs import field, frozen

from codetether_core.redaction.forms import SHORTEST, forms, mark
from codetether_core.redaction.lexicon import Lexicon

__all__ = ["NOTHING_HELD", "Held", "Redactor"]

_Stretch: TypeAlias = tuple[int, int, str]
"""Where a secret begins and ends, and what is told in its place."""


@frozen
class Held:
    """The end of a text that was held back; of its first ``covered`` characters was told that they are of a secret."""

    text: str = ""
    covered: int = 0


NOTHING_HELD: Final = Held()


@frozen
class Redactor:
    """Knows some secrets, by what is told in place of each of their forms. One without any is false."""

    _marks: Mapping[str, str] = field(repr=False)

    @classmethod
    def of(cls, secrets: Mapping[str, str]) -> Redactor:
        """For these values by their names."""
        return cls({form: mark(name) for name, value in secrets.items() for form in forms(value)})

    def of_bytes(self) -> Redactor:
        """For bytes that were read as Latin-1, in which text was written as UTF-8."""
        return self._of_bytes

    def __bool__(self) -> bool:
        return bool(self._marks)

    def find(self, text: str) -> str:
        """What would be told in place of the first secret in the text; nothing if there is none."""
        found = min(self._stretches(text, self._forms.places(text)), default=None)
        return found[2] if found else ""

    def whole(self, text: str) -> str:
        """The text, without its secrets, and without what is most of one at its ends: it may have been cut there."""
        if not self._marks or len(text) < SHORTEST:
            return text
        places = self._forms.places(text)
        stretches = [*self._stretches(text, places), *self._fragments(text, places)]
        if not stretches:
            return text
        told, _ = _told(text, _merged(stretches, 0), len(text))
        return told

    def feed(self, held: Held, text: str) -> tuple[str, Held]:
        """What can be told of a piece and of what was held back before it; and what is held back now."""
        text = held.text + text
        places = self._forms.places(text)
        endings = self._forms.endings(text, places)
        end = len(text) - next((len(ending) for ending in endings if any(self._forms.going_on(ending))), 0)
        told, covered = _told(text, _merged(self._stretches(text, places), held.covered), end)
        return told, Held(text[end:], covered)

    def end(self, held: Held) -> str:
        """What was held back, once nothing follows it."""
        stretches = self._stretches(held.text, self._forms.places(held.text))
        told, _ = _told(held.text, _merged(stretches, held.covered), len(held.text))
        return told

    @cached_property
    def _forms(self) -> Lexicon:
        return Lexicon.of(self._marks)

    @cached_property
    def _reversed(self) -> Lexicon:
        return Lexicon.of(form[::-1] for form in self._marks)

    @cached_property
    def _of_bytes(self) -> Redactor:
        return Redactor({_latin(form): _latin(mark) for form, mark in self._marks.items()})

    def _stretches(self, text: str, places: Iterable[int]) -> Iterator[_Stretch]:
        for place in places:
            for form in self._forms.at(text, place):
                yield place, place + len(form), self._marks[form]

    def _fragments(self, text: str, places: Sequence[int]) -> Iterator[_Stretch]:
        """At either end the longest alone: it covers all others."""
        begin = text[: self._reversed.longest][::-1]
        for length, reverse in _most_of_one(self._reversed, begin, self._reversed.places(begin)):
            yield 0, length, min(self._marks[form[::-1]] for form in reverse)
        for length, found in _most_of_one(self._forms, text, places):
            yield len(text) - length, len(text), min(self._marks[form] for form in found)


def _most_of_one(lexicon: Lexicon, text: str, places: Sequence[int]) -> Iterator[tuple[int, Sequence[str]]]:
    """How long the longest end of the text is that is more than half of a word, but not all; and which these are."""
    for ending in takewhile(lambda each: len(each) >= SHORTEST, lexicon.endings(text, places)):
        if found := [word for word in lexicon.going_on(ending) if len(word) < 2 * len(ending)]:
            yield len(ending), found
            return


def _merged(stretches: Iterable[_Stretch], covered: int) -> Iterator[_Stretch]:
    """The stretches, none over another; the first one is told already up to ``covered``."""
    begin, end, told = 0, covered, ""
    for start, stop, name in sorted(stretches):
        if start < end:
            end = max(end, stop)
            continue
        if end:
            yield begin, end, told
        begin, end, told = start, stop, name
    if end:
        yield begin, end, told


def _told(text: str, stretches: Iterable[_Stretch], end: int) -> tuple[str, int]:
    """The text up to ``end`` with marks in place of the stretches; and how far the last of them goes beyond that."""
    told: list[str] = []
    place = 0
    for start, stop, name in stretches:
        if start >= end:
            break
        told += text[place:start], name
        place = stop
    told.append(text[place:end])
    return "".join(told), max(place - end, 0)


def _latin(text: str) -> str:
    return text.encode().decode("latin-1")
