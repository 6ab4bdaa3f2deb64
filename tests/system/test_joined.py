"""One call for all who ask for the same at a time."""

from __future__ import annotations

import asyncio

import pytest
from attrs import define, field

from codetether_adapters.system import Joined


@define(eq=False)
class Call:
    """Gives how many times it was called, as soon as it ``may``; ``over`` are those that have ended."""

    may: asyncio.Event = field(factory=asyncio.Event)
    called: int = 0
    over: int = 0
    fails: bool = False

    async def __call__(self) -> int:
        self.called = number = self.called + 1
        try:
            await self.may.wait()
        finally:
            self.over += 1
        if self.fails:
            raise ValueError("no")
        return number


async def settled() -> None:
    """Whatever can go on without a word from the test has gone on."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_who_asks_for_the_same_meanwhile_has_the_same() -> None:
    joined, call, other = Joined(), Call(), Call()
    asking = [asyncio.ensure_future(joined(key, what)) for key, what in (("a", call), ("a", call), ("b", other))]
    await settled()
    assert (call.called, other.called) == (1, 1)
    other.may.set()
    assert await asking[2] == 1 and not asking[0].done()
    call.may.set()
    assert await asyncio.gather(*asking) == [1, 1, 1]


async def test_who_asks_afterwards_has_another() -> None:
    joined, call = Joined(), Call()
    call.may.set()
    assert [await joined("a", call), await joined("a", call)] == [1, 2]


async def test_what_is_raised_is_raised_for_all() -> None:
    joined, call = Joined(), Call(fails=True)
    asking = [asyncio.ensure_future(joined("a", call)) for _ in range(3)]
    await settled()
    call.may.set()
    for each in asking:
        with pytest.raises(ValueError, match="no"):
            await each
    assert call.called == 1


async def test_one_that_waits_no_longer_takes_nothing_from_the_others() -> None:
    """Not even the one whose call it was."""
    joined, call = Joined(), Call()
    first, second = (asyncio.ensure_future(joined("a", call)) for _ in range(2))
    await settled()
    first.cancel()
    await settled()
    assert (first.cancelled(), call.over) == (True, 0)
    call.may.set()
    assert await second == 1


async def test_a_call_ends_with_the_last_that_waits_and_the_next_has_another() -> None:
    joined, call = Joined(), Call()
    asking = [asyncio.ensure_future(joined("a", call)) for _ in range(2)]
    await settled()
    for each in asking:
        each.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    assert (call.called, call.over) == (1, 1)
    call.may.set()
    assert await joined("a", call) == 2
