"""Passages: what values go through on their way into a store, and back on their way out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

from attrs import frozen

from codetether_core.ids import CodebaseId, TenantId
from codetether_core.sessions import SessionMessage

__all__ = ["Passage", "Told", "inwards", "outwards"]

V = TypeVar("V")


@frozen
class Told:
    """A session's message, and whose and of which codebase the session is."""

    tenant: TenantId
    codebase: CodebaseId
    message: SessionMessage


class Passage(Protocol):
    """Changes values of the kinds that it knows: ``Task``, ``Approval``, ``Session``, ``Told``, ``Message``,
    ``Codebase``, ``Agent``, ``ToolServer`` and ``Event`` on their way in, the same but ``Record`` for ``Event`` on
    their way out.

    What it need not change it gives back as it is, the very sequence if that is true of all.
    """

    @property
    def searchable(self) -> bool:
        """Whether a store finds words in what it is given."""
        ...

    async def into(self, values: Sequence[V]) -> Sequence[V]:
        """The values as the store is to keep them."""
        ...

    async def out_of(self, values: Sequence[V]) -> Sequence[V]:
        """The values that the store kept so; the same ``Record`` for the same one, as long as somebody has it."""
        ...


async def inwards(passages: Sequence[Passage], values: Sequence[V]) -> Sequence[V]:
    """Through all of them, in order."""
    if values:
        for passage in passages:
            values = await passage.into(values)
    return values


async def outwards(passages: Sequence[Passage], values: Sequence[V]) -> Sequence[V]:
    """Back through all of them, the last one first."""
    if values:
        for passage in reversed(passages):
            values = await passage.out_of(values)
    return values
