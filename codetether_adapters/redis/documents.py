"""Documents: what a write puts in a shard, under which condition, and where it is filed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

from attrs import Factory, frozen

__all__ = ["ABSENT", "ANY", "Document", "Place", "Sweep", "arguments", "sweeps"]

ABSENT: Final = ""
"""The version of a document that is not there."""

ANY: Final = "*"
"""Whatever the version is."""

Place: TypeAlias = tuple[str, str | bytes, str, str | bytes]
"""An index and the member in it; a wider index and the member that it has while the first has any, or twice nothing."""


@frozen(kw_only=True)
class Document:
    """A document as it shall be; without fields it shall be gone.

    It is written if its version is still ``expected``, nothing is at the key ``unless``, and the log never had an event
    of the topic ``unheard``. With a ``claim`` no other
    document may have the same one in ``index``. Fields that are left out stay as they are.
    """

    key: str
    expected: str
    version: str
    fields: Mapping[str, str | bytes] = Factory(dict)
    places: Sequence[Place] = ()
    unless: str = ""
    unheard: bytes = b""
    index: str = ""
    claim: str = ""


@frozen
class Sweep:
    """All documents that an index names go: ``documents`` and what a member has after ``rank`` bytes is a key."""

    index: str
    rank: int
    documents: str


def sweeps(all: Sequence[Sweep]) -> list[str | bytes | int]:
    """How many there are, then each, as the script takes them."""
    return [len(all), *(value for each in all for value in (each.index, each.rank, each.documents))]


def arguments(documents: Sequence[Document]) -> list[str | bytes | int]:
    """How many there are, then each, as the script takes them."""
    values: list[str | bytes | int] = [len(documents)]
    for each in documents:
        values += (
            each.key,
            each.expected,
            each.unless,
            each.unheard,
            each.index,
            each.claim,
            each.version,
            len(each.fields),
        )
        for name, value in each.fields.items():
            values += name, value
        values.append(len(each.places))
        for place in each.places:
            values += place
    return values
