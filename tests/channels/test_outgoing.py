"""Texts on their way: nobody waits for them, and whoever takes them gets what waits in one go."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from codetether_adapters.tail import Outgoing, outgoing
from codetether_core.errors import Unavailable

pytestmark = pytest.mark.anyio


class Line:
    """Takes texts while it is open."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.took = asyncio.Event()
        self.taken: list[Sequence[str]] = []
        self.broken = False

    async def send(self, texts: Sequence[str]) -> None:
        """Wait until it is open; ``Unavailable`` while it is broken."""
        await self.open.wait()
        if self.broken:
            raise Unavailable("broken")
        self.taken.append(texts)
        self.took.set()


async def test_what_waits_goes_together() -> None:
    """In its order; the oldest of too much is left out."""
    line = Line()
    texts = Outgoing(line.send)
    texts.put("first")
    await asyncio.sleep(0)
    for n in range(3_000):
        texts.put(str(n))
    line.open.set()
    await texts.close()
    assert line.taken == [["first"], [str(n) for n in range(2_000, 3_000)]]


async def test_what_cannot_be_sent_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a while, longer each time, what came meanwhile is tried; once it went, the next while is short again."""
    pauses, rested = list[float](), asyncio.Event()

    async def rest(pause: float) -> float:
        pauses.append(pause)
        line.broken = len(pauses) < 3
        texts.put(f"after {len(pauses)}")
        if len(pauses) > 3:
            rested.set()
        return 2 * pause

    monkeypatch.setattr(outgoing, "rest", rest)
    line = Line()
    line.open.set()
    line.broken = True
    texts = Outgoing(line.send)
    texts.put("lost")
    async with asyncio.timeout(30):
        await line.took.wait()
        assert line.taken == [["after 3"]]
        line.broken = True
        texts.put("lost")
        await rested.wait()
    await texts.close()
    first = pauses[0]
    assert pauses == [first, 2 * first, 4 * first, first]
    assert line.taken == [["after 3"], ["after 4"]]


async def test_leaving_waits_no_longer_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever does not take the last texts is not waited for; what comes after is nothing."""
    monkeypatch.setattr(outgoing, "_LEAVING", 0.01)
    line = Line()
    texts = Outgoing(line.send)
    texts.put("never")
    async with asyncio.timeout(30):
        await texts.close()
    line.open.set()
    texts.put("too late")
    await asyncio.sleep(0)
    assert not line.taken


async def test_a_rest_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """It grows to its longest and no longer, and is never as long for everybody."""
    slept = list[float]()

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    pause = outgoing.FIRST_PAUSE
    for _ in range(50):
        pause = await outgoing.rest(pause)
    assert max(slept) <= pause == 2.0
    assert len({*slept}) == 50
