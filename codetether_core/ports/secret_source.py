"""Where secrets are kept that must not stand in a setting."""

from __future__ import annotations

from typing import Protocol

__all__ = ["SecretSource"]


class SecretSource(Protocol):
    """Secrets by name. No error of it says more of a secret than that name."""

    async def read(self, name: str) -> str:
        """The secret as it is now.

        ``NotFound`` if there is none of that name, ``PermissionDenied`` if it is not for us or nobody knows us there,
        ``Unavailable`` if the place does not answer. Each hint says what to do about it.
        """
        ...
