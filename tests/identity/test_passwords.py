"""Passwords cost time and memory, and strangers get no more of it than there is."""

from __future__ import annotations

import asyncio

import pytest

from codetether_adapters.passwords import Argon2id
from codetether_core.errors import Unavailable

pytestmark = pytest.mark.anyio


async def test_who_comes_when_too_many_wait_is_told_to_come_again() -> None:
    """And whoever came before is served."""
    passwords = Argon2id()
    outcomes = await asyncio.gather(*(passwords.matches("x", None) for _ in range(60)), return_exceptions=True)
    refused = [each for each in outcomes if isinstance(each, Unavailable)]
    assert 0 < len(refused) < 60
    assert [each for each in outcomes if not isinstance(each, Unavailable)] == [False] * (60 - len(refused))
    assert all("try again" in each.hint for each in refused)
