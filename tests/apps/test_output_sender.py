"""Output arrives once and in order, whatever happens to the batches on their way."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codetether_adapters.client import ConnectionFailed
from codetether_apps.holding.output import OutputSender
from codetether_apps.holding.verdicts import Ending
from codetether_core.errors import StaleLease, TooLarge
from codetether_core.tasks import OutputChunk
from tests.apps.worker_stage import MovedClock, persistence


class Shelf:
    """A server's log with its rule: ordinals that it has are left out. ``fates`` say how each sending ends."""

    def __init__(self, fates: Sequence[str] = ()) -> None:
        self.texts: list[str] = []
        self.batches: list[int] = []
        self._fates = iter(fates)

    async def post(self, chunks: Sequence[OutputChunk], first: int) -> None:
        """Take the chunks."""
        await asyncio.sleep(0)
        match next(self._fates, "taken"):
            case "lost":
                raise ConnectionFailed("the request was lost")
            case "unanswered":
                self._take(chunks, first)
                raise ConnectionFailed("the answer was lost")
            case "refused":
                raise TooLarge("too large")
            case "stale":
                raise StaleLease("superseded")
            case _:
                self._take(chunks, first)

    def _take(self, chunks: Sequence[OutputChunk], first: int) -> None:
        self.batches.append(len(chunks))
        self.texts += [chunk.text for ordinal, chunk in enumerate(chunks, first) if ordinal >= len(self.texts)]


def sender(shelf: Shelf, ends: list[Ending], *, wait: float = 0.001, batch: int = 16) -> OutputSender:
    """A sender to the shelf."""
    return OutputSender(
        post=shelf.post,
        end=ends.append,
        wait=timedelta(seconds=wait),
        batch=batch,
        persistence=persistence(MovedClock()),
    )


async def sent(output: OutputSender, texts: Sequence[str]) -> None:
    """Emit the texts and wait until everything is sent."""
    sending = asyncio.create_task(output.send())
    for text in texts:
        await output.emit(OutputChunk(text=text))
    await output.close()
    await sending


@given(st.lists(st.text("abc", max_size=20), max_size=30), st.lists(st.sampled_from(["taken", "lost", "unanswered"])))
def test_every_chunk_arrives_once_in_order(texts: list[str], fates: list[str]) -> None:
    """Whether a request was lost or only its answer."""
    shelf = Shelf(fates)
    asyncio.run(sent(sender(shelf, []), texts))
    assert shelf.texts == texts


@pytest.mark.anyio
async def test_what_comes_together_goes_together() -> None:
    """A batch goes as soon as there is enough for one, and takes along all that there is."""
    shelf = Shelf()
    await sent(sender(shelf, [], wait=30, batch=100), ["x" * 9] * 25)
    assert shelf.batches == [25]


@pytest.mark.anyio
async def test_a_round_trip_takes_all_that_is_held_up_to_a_limit() -> None:
    """Else its length would bound what an agent may print: 16 KiB each made 1 MB/s of a server 16 ms away."""
    shelf = Shelf()
    await sent(sender(shelf, [], wait=30, batch=16 * 1024), ["x" * 1023] * 1040)
    assert max(shelf.batches) == 256
    assert len(shelf.batches) <= 7


@pytest.mark.anyio
async def test_a_batch_that_is_too_large_is_sent_in_halves() -> None:
    """A server may accept less than we would send."""
    shelf = Shelf(["refused", "refused"])
    await sent(sender(shelf, [], wait=30, batch=100), ["x" * 9] * 10)
    assert shelf.texts == ["x" * 9] * 10
    assert shelf.batches == [2, 2, 2, 2, 2]


@pytest.mark.anyio
async def test_an_agent_that_is_faster_than_the_server_is_slowed_down() -> None:
    """What is held in memory has a limit."""
    output = sender(Shelf(), [], batch=10)
    emitted = 0

    async def print_on() -> None:
        nonlocal emitted
        while True:
            await output.emit(OutputChunk(text="x" * 9))
            emitted += 1

    printing = asyncio.create_task(print_on())
    for _ in range(1000):
        await asyncio.sleep(0)
    assert emitted == 64
    printing.cancel()


@pytest.mark.anyio
async def test_a_superseded_run_is_told_and_its_agent_never_stuck() -> None:
    """Nobody wants the rest."""
    shelf, ends = Shelf(["stale"]), list[Ending]()
    await sent(sender(shelf, ends, batch=1), [*"a" * 500])
    assert ends == [Ending.SUPERSEDED]
    assert shelf.texts == []


@pytest.mark.anyio
async def test_output_that_the_server_will_never_take_ends_the_run() -> None:
    """A run whose output is not whole has not succeeded."""
    shelf, ends = Shelf(["refused"] * 600), list[Ending]()
    output = sender(shelf, ends, batch=1)
    await sent(output, ["more than it takes"] * 500)
    assert ends == [Ending.UNHEARD]
    assert output.failure == "The server refused the output: too large"
    assert shelf.texts == []


@pytest.mark.anyio
async def test_the_last_words_go_with_the_rest_however_much_is_held() -> None:
    """Whoever has them does not wait for a server that does not answer, and to a closed sender nothing is said."""
    shelf = Shelf()
    output = sender(shelf, [], batch=1)
    for _ in range(64):
        await output.emit(OutputChunk(text=""))
    await output.close([OutputChunk(text="the"), OutputChunk(text="end")])
    await output.close([OutputChunk(text="not this")])
    await output.send()
    assert shelf.texts[-2:] == ["the", "end"] and len(shelf.texts) == 66
