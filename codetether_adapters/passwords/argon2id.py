"""Argon2id with the library's parameters, which RFC 9106 has for machines of little memory; in threads, two at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Final

import argon2
from anyio import CapacityLimiter, to_thread

from codetether_core.errors import Unavailable

__all__ = ["Argon2id"]

_AT_ONCE: Final = 2
"""Each takes 64 MiB: strangers who try passwords get no more of them."""

_MOST: Final = 32
"""So many are served or wait; who comes then is told to come again."""


class Argon2id:
    """Hashes and compares (port ``Passwords``)."""

    def __init__(self) -> None:
        self._hasher = argon2.PasswordHasher()
        self._present = 0

    @cached_property
    def _limiter(self) -> CapacityLimiter:
        return CapacityLimiter(_AT_ONCE)

    @cached_property
    def _nobodys(self) -> str:
        return self._hasher.hash("")

    async def hashed(self, password: str) -> str:
        """The hash in the usual notation, salt and parameters included."""
        with self._a_place():
            return await to_thread.run_sync(self._hasher.hash, _bytes(password), limiter=self._limiter)

    async def matches(self, password: str, kept: str | None) -> bool:
        """Compare with it, or with nobody's."""
        with self._a_place():
            return await to_thread.run_sync(self._compare, _bytes(password), kept, limiter=self._limiter)

    @contextmanager
    def _a_place(self) -> Iterator[None]:
        """``Unavailable`` if there are too many in front."""
        if self._present >= _MOST:
            raise Unavailable("Too many sign in at once", hint="try again in a few seconds")
        self._present += 1
        try:
            yield
        finally:
            self._present -= 1

    def _compare(self, password: bytes, kept: str | None) -> bool:
        try:
            self._hasher.verify(self._nobodys if kept is None else kept, password)
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False
        return kept is not None


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")
