"""The contract of ``Channel``: whoever opened the same scope hears what is said, while nothing is in the way."""

from __future__ import annotations

import asyncio
import unittest
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import aclosing
from typing import Any, Final, TypeAlias

from codetether_core.ports import OpenChannel

__all__ = ["ShareChannels", "channel_contract"]

ShareChannels: TypeAlias = Callable[[], OpenChannel]
"""A way to open channels that nobody else uses; whatever it opens for one scope is one channel."""

_Example: TypeAlias = Callable[[OpenChannel], Coroutine[Any, Any, None]]

_PATIENCE: Final = 60
_TEXTS: Final = ("x", "two words", '["é",7,[["t\\n\\u0000"]]]', "line\nand line", "%s", "§" * 3000, "x" * 7000)


def channel_contract(share: ShareChannels) -> type[unittest.TestCase]:
    """Saying and hearing. What becomes of a channel whose server goes away is for its adapter to show."""
    tests = {f"test_{example.__name__}": _test(example, share) for example in _EXAMPLES}
    return type("ChannelContract", (unittest.TestCase,), tests)


async def everybody_hears_everything_in_order(open_channel: OpenChannel) -> None:
    """Each of several, from the moment at which it was opened, whatever is in the texts."""
    async with open_channel("a") as speaker, open_channel("a") as one, open_channel("a") as two:
        for text in _TEXTS:
            speaker.publish(text)
        for listener in (one, two):
            assert await _heard(listener.hear(), len(_TEXTS)) == [*_TEXTS]
            await listener.ping()
        await speaker.ping()


async def several_speak_at_once(open_channel: OpenChannel) -> None:
    """The texts of each come in its order; nobody need wait between them."""
    async with open_channel("a") as listener, open_channel("a") as one, open_channel("a") as two:
        for n in range(200):
            one.publish(f"one {n}")
            two.publish(f"two {n}")
            if n % 20 == 0:
                await asyncio.sleep(0)
        heard = await _heard(listener.hear(), 400)
        for name in ("one", "two"):
            assert [text for text in heard if text.startswith(name)] == [f"{name} {n}" for n in range(200)]


async def other_scopes_hear_nothing(open_channel: OpenChannel) -> None:
    """Their own alone, however much alike the names are."""
    async with open_channel("a") as here, open_channel("ab") as longer, open_channel("A") as larger:
        channels = {"a": here, "ab": longer, "A": larger}
        for name, channel in channels.items():
            channel.publish(f"said in {name}")
        for name, channel in channels.items():
            channel.publish("end")
            assert await _heard(channel.hear(), 2) == [f"said in {name}", "end"]


async def who_comes_later_hears_what_is_said_later(open_channel: OpenChannel) -> None:
    """Nothing is kept for those who are not there."""
    async with open_channel("a") as speaker, open_channel("a") as first:
        speaker.publish("before")
        assert await _heard(first.hear(), 1) == ["before"]
        async with open_channel("a") as second:
            speaker.publish("after")
            assert await _heard(second.hear(), 1) == ["after"]


async def what_was_said_before_leaving_is_heard(open_channel: OpenChannel) -> None:
    """And what is said after it is not, and is no error."""
    async with open_channel("a") as staying:
        async with open_channel("a") as leaving:
            leaving.publish("farewell")
        leaving.publish("too late")
        async with open_channel("a") as late:
            late.publish("end")
            assert await _heard(staying.hear(), 2) == ["farewell", "end"]


async def a_flood_is_no_error(open_channel: OpenChannel) -> None:
    """More than anybody could keep may be said in one go; the last of it is heard."""
    async with open_channel("a") as speaker, open_channel("a") as listener:
        for n in range(5_000):
            speaker.publish(f"{n}")
        async with aclosing(listener.hear()) as texts:
            async for text in texts:
                if text == "4999":
                    return


async def _heard(texts: AsyncGenerator[str | None], count: int) -> Sequence[str]:
    """The next texts; nothing was in their way."""
    found: list[str] = []
    async with aclosing(texts):
        async for text in texts:
            assert text is not None
            found.append(text)
            if len(found) == count:
                break
    return found


def _test(example: _Example, share: ShareChannels) -> Callable[[unittest.TestCase], None]:
    async def show() -> None:
        async with asyncio.timeout(_PATIENCE):
            await example(share())

    def test(self: unittest.TestCase) -> None:
        asyncio.run(show())

    test.__doc__ = example.__doc__
    return test


_EXAMPLES: Final[tuple[_Example, ...]] = (
    everybody_hears_everything_in_order,
    several_speak_at_once,
    other_scopes_hear_nothing,
    who_comes_later_hears_what_is_said_later,
    what_was_said_before_leaving_is_heard,
    a_flood_is_no_error,
)
