"""Passwords as they are kept."""

from __future__ import annotations

import pytest

from codetether_adapters.passwords import Argon2id

pytestmark = pytest.mark.anyio


async def test_a_password_is_known_by_what_is_kept_of_it() -> None:
    """Each time something else, and slow to guess from."""
    passwords = Argon2id()
    kept, again = await passwords.hashed("correct horse"), await passwords.hashed("correct horse")
    assert kept != again and kept.startswith("$argon2id$") and "horse" not in kept
    assert await passwords.matches("correct horse", kept) and await passwords.matches("correct horse", again)
    assert not await passwords.matches("wrong horse", kept)


@pytest.mark.parametrize("kept", [None, "", "$argon2id$", "plain"])
async def test_nobodys_password_matches_nothing(kept: str | None) -> None:
    """Not even the empty one."""
    passwords = Argon2id()
    for password in ("", "plain", "\ud800"):
        assert not await passwords.matches(password, kept)
