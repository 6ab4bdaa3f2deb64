"""Events that erase, on their way into a log."""

from __future__ import annotations

from collections.abc import Sequence

from codetether_adapters.tail.encoding import Entry
from codetether_core.events import ERASING_KINDS, Topic, erased_by

__all__ = ["erasing"]


def erasing(entries: Sequence[Entry]) -> tuple[Sequence[Topic], Sequence[Entry]]:
    """The topics that some of these erase, and the entries without those that would be erased at once.

    A store takes away what it has of the topics, then appends the rest.
    """
    if not any(event.kind in ERASING_KINDS for event, _ in entries):
        return (), entries
    erased: dict[Topic, None] = {}
    left: list[Entry] = []
    for entry in reversed(entries):
        event, _ = entry
        if event.topic not in erased:
            left.append(entry)
            erased |= dict.fromkeys(erased_by(event.kind, event.topic))
    return [*erased], left[::-1]
