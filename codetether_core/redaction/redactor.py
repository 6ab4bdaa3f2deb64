"""Finding secrets in text that comes whole, or in pieces that may be cut anywhere.

Of a piece the longest end is held back that may be the beginning of a secret; the next piece is read after it. What
was told so far, with what is told next, thus never has a secret in it, however the text was cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeAlias

from attrs import field, frozen

from codetether_core.redaction.forms import SHORTEST, forms, mark

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
        return Redactor({_latin(form): _latin(mark) for form, mark in self._marks.items()})

    def __bool__(self) -> bool:
        return bool(self._marks)

    def find(self, text: str) -> str:
        """What would be told in place of the first secret in the text; nothing if there is none."""
        found = min(self._stretches(text), default=None)
        return found[2] if found else ""

    def whole(self, text: str) -> str:
        """The text, without its secrets, and without what is most of one at its ends: it may have been cut there."""
        if len(text) < SHORTEST:
            return text
        stretches = [*self._stretches(text), *self._fragments(text)]
        told, _ = _told(text, _merged(stretches, 0), len(text))
        return told

    def feed(self, held: Held, text: str) -> tuple[str, Held]:
        """What can be told of a piece and of what was held back before it; and what is held back now."""
        text = held.text + text
        end = len(text) - max((_beginning(text, form) for form in self._marks), default=0)
        told, covered = _told(text, _merged(self._stretches(text), held.covered), end)
        return told, Held(text[end:], covered)

    def end(self, held: Held) -> str:
        """What was held back, once nothing follows it."""
        told, _ = _told(held.text, _merged(self._stretches(held.text), held.covered), len(held.text))
        return told

    def _stretches(self, text: str) -> Iterator[_Stretch]:
        for form, told in self._marks.items():
            start = text.find(form)
            while start >= 0:
                yield start, start + len(form), told
                start = text.find(form, start + 1)

    def _fragments(self, text: str) -> Iterator[_Stretch]:
        longest = max(map(len, self._marks), default=0)
        begin, end = text[:longest][::-1], text[-longest:]
        for form, told in self._marks.items():
            most = max(len(form) // 2 + 1, SHORTEST)
            if len(form) > most:
                if length := _beginning(begin, form[::-1], most):
                    yield 0, length, told
                if length := _beginning(end, form, most):
                    yield len(text) - length, len(text), told


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


def _beginning(text: str, form: str, shortest: int = 1) -> int:
    """How long the longest end of the text is that is the beginning of the form, and not all of it."""
    start = text.find(form[:shortest], max(len(text) - len(form) + 1, 0))
    while start >= 0:
        if form.startswith(text[start:]):
            return len(text) - start
        start = text.find(form[:shortest], start + 1)
    return 0


def _latin(text: str) -> str:
    return text.encode().decode("latin-1")
