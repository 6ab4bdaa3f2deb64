"""What passwords are kept as."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Passwords"]


class Passwords(Protocol):
    """A slow, salted hash."""

    async def hashed(self, password: str) -> str:
        """What to keep of a password; each time something else."""
        ...

    async def matches(self, password: str, kept: str | None) -> bool:
        """Whether that was made of this password. ``None`` never matches, and takes as long."""
        ...
