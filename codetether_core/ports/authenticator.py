"""Who is asking."""

from __future__ import annotations

from typing import Protocol

from codetether_core.access import Principal

__all__ = ["Authenticator"]


class Authenticator(Protocol):
    """Turns a credential into a principal."""

    async def authenticate(self, credential: str) -> Principal:
        """The principal whose bearer token this is; ``Unauthenticated`` if there is none."""
        ...
