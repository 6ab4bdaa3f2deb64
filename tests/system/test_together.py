"""Several things at once."""

from __future__ import annotations

import asyncio

import pytest

from codetether_adapters.system import together


async def test_results_come_in_the_order_in_which_they_were_asked_for() -> None:
    """Though they end in another."""
    gates = [asyncio.Event() for _ in range(3)]

    async def one(number: int) -> int:
        if number < 2:
            await gates[number + 1].wait()
        gates[number].set()
        return number

    assert await together(one(number) for number in range(3)) == [0, 1, 2]


async def test_one_that_fails_ends_the_others() -> None:
    ended = asyncio.Event()
    begun = asyncio.Event()

    async def endless() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def failing() -> None:
        await begun.wait()
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await together([endless(), failing()])
    assert ended.is_set()


async def test_none_are_done_at_once() -> None:
    assert await together([]) == []
