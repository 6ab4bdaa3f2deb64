"""Argon2id with the library's parameters, which RFC 9106 has for machines of little memory; in threads, two at once."""

from __future__ import annotations

from functools import cached_property
from typing import Final

import argon2
from anyio import CapacityLimiter, to_thread

__all__ = ["Argon2id"]

_AT_ONCE: Final = 2
"""Each takes 64 MiB: strangers who try passwords get no more of them."""


class Argon2id:
    """Hashes and compares (port ``Passwords``)."""

    def __init__(self) -> None:
        self._hasher = argon2.PasswordHasher()

    @cached_property
    def _limiter(self) -> CapacityLimiter:
        return CapacityLimiter(_AT_ONCE)

    @cached_property
    def _nobodys(self) -> str:
        return self._hasher.hash("")

    async def hashed(self, password: str) -> str:
        """The hash in the usual notation, salt and parameters included."""
        return await to_thread.run_sync(self._hasher.hash, _bytes(password), limiter=self._limiter)

    async def matches(self, password: str, kept: str | None) -> bool:
        """Compare with it, or with nobody's."""
        return await to_thread.run_sync(self._compare, _bytes(password), kept, limiter=self._limiter)

    def _compare(self, password: bytes, kept: str | None) -> bool:
        try:
            self._hasher.verify(self._nobodys if kept is None else kept, password)
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False
        return kept is not None


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")
