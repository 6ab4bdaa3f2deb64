"""Trying again has an end."""

import pytest

from codetether_core.errors import NotFound, VersionConflict
from codetether_core.services.swapping import TRIES, until_swapped

pytestmark = pytest.mark.anyio


async def test_the_first_that_lands_counts() -> None:
    tries = 0

    async def attempt() -> int:
        nonlocal tries
        tries += 1
        if tries < TRIES:
            raise VersionConflict("Somebody was faster")
        return tries

    assert await until_swapped(attempt, "thing", "x") == TRIES


async def test_who_is_never_faster_is_told() -> None:
    tries = 0

    async def attempt() -> None:
        nonlocal tries
        tries += 1
        raise VersionConflict("Somebody was faster")

    with pytest.raises(VersionConflict, match="this thing") as caught:
        await until_swapped(attempt, "thing", "x")
    assert (tries, caught.value.details) == (TRIES, {"id": "x"})


async def test_anything_else_goes_through() -> None:
    async def attempt() -> None:
        raise NotFound("thing", "x")

    with pytest.raises(NotFound):
        await until_swapped(attempt, "thing", "x")
