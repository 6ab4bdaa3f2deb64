"""How far a store's schema is behind a program, and bringing it up to date."""

from __future__ import annotations

from typing import Protocol

from attrs import frozen

__all__ = ["Migrate", "Migrations"]


@frozen
class Migrations:
    """Versions of a schema's steps: ``applied`` are in the store, ``pending`` are known to this program and not."""

    applied: tuple[int, ...]
    pending: tuple[int, ...]


class Migrate(Protocol):
    """What an entry point of the group ``codetether.migrations`` is."""

    async def __call__(self, url: str, *, check: bool) -> Migrations:
        """Apply what is pending, or with ``check`` only look and change nothing; how it stands then.

        ``Invalid`` for a malformed address; ``Unavailable`` for a server or a schema that this program cannot use.
        """
        ...
