"""A word between processes: whoever opened the same channel may hear it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol, TypeAlias

__all__ = ["Channel", "OpenChannel"]


class Channel(Protocol):
    """Lossy by contract: what is said may come late, twice, to its own speaker as well, or not at all.

    So a text is a hint to look again, and never what was to be seen. Once it was opened, everything is heard that is
    published from then on, until it is lost; it comes back by itself.
    """

    def publish(self, text: str) -> None:
        """Say a text that is not empty, soon. It waits for nobody and never fails: what cannot be said is dropped."""
        ...

    def hear(self) -> AsyncGenerator[str | None]:
        """Every text in the order of its arrival, for ever, for one reader; ``None`` after a time without hearing,
        when everything is heard again: anything may have been said meanwhile.
        """
        ...

    async def ping(self) -> None:
        """Return if what is said is heard now; ``Unavailable`` says what is wrong and what to do."""
        ...


OpenChannel: TypeAlias = Callable[[str], AbstractAsyncContextManager[Channel]]
"""Opens the channel of a scope: a short name that all who are meant agree on, and nobody else has.

``Unavailable`` and ``Invalid`` say why there is none. What was published before it is closed is still said.
"""
