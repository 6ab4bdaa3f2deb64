"""Whoever brings something to a receiver elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Protocol

__all__ = ["Courier"]


class Courier(Protocol):
    """Makes requests to URLs that others gave us, and lets nobody lead them where only we may go."""

    async def check(self, field: str, url: str) -> None:
        """``Invalid`` names the field if requests to this URL are not made, as far as that can be known now."""
        ...

    async def deliver(self, url: str, headers: Mapping[str, str], body: bytes, timeout: timedelta) -> int:
        """Post it; the status of the answer, whose body nobody reads and whose redirection nobody follows.

        ``Unavailable`` says why there was no answer within ``timeout``, ``Invalid`` why the request was not made;
        ``Busy`` that too many others were being made for as long as that, before this one's turn came.
        """
        ...
