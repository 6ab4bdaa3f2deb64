"""However uploads, names, deaths and collections interleave: nothing that is named goes, and every orphan does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, cast

from attrs import define, evolve, field, frozen
from hypothesis import example, given
from hypothesis import strategies as st

from codetether_core.services import Services
from codetether_core.tasks import Task, Word
from tests.services.warehouse import A, Warehouse, open_warehouse, services_over

LONG = timedelta(hours=25)

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("attach"), st.integers(0, 5)),
        st.tuples(st.just("upload"), st.integers(0, 2)),
        st.tuples(st.just("collect"), st.integers(0, 1)),
        *[st.tuples(st.just("go on"), st.integers(0, 9))] * 4,
        st.tuples(st.just("die"), st.integers(0, 9)),
        st.tuples(st.just("wait"), st.just(0)),
    ),
    max_size=60,
)

ON = ("go on", 0)
PUT_AGAIN = [("upload", 0), ON, ("wait", 0), ("collect", 0), *[ON] * 6, ("attach", 0), *[("go on", 1)] * 6, ON]
"""An old blob is about to be dropped, when somebody puts it again and names it."""
BEING_NAMED = [("attach", 0), ON, ON, ("collect", 0), *[("go on", 1)] * 8, *[ON] * 4]
"""A new one is collected, or not, between its upload and its name."""


@define(eq=False)
class Gates:
    """Whoever comes to one waits until it is let through."""

    open: bool = False
    waiting: list[asyncio.Future[None]] = field(factory=list)

    async def pass_through(self) -> None:
        if not self.open:
            self.waiting.append(gate := asyncio.get_running_loop().create_future())
            await gate

    def let(self, number: int) -> None:
        """Let one go on, as far as its next gate."""
        self.waiting = [gate for gate in self.waiting if not gate.done()]
        if self.waiting:
            self.waiting.pop(number % len(self.waiting)).set_result(None)

    def open_all(self) -> None:
        self.open = True
        while self.waiting:
            self.let(0)


@frozen
class Gated:
    """Another store with a gate before each of its methods."""

    store: Any
    gates: Gates

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def gated(*arguments: Any, **more: Any) -> Any:
            await self.gates.pass_through()
            return await getattr(self.store, name)(*arguments, **more)

        return gated


@define(eq=False)
class Play:
    """Actors over one store, who move when they are told to."""

    house: Warehouse
    gates: Gates
    replicas: Sequence[Services]
    held: tuple[Task, Word]
    uploading: list[asyncio.Task[Any]] = field(factory=list)
    collecting: list[asyncio.Task[Any]] = field(factory=list)

    async def step(self, what: str, number: int) -> None:
        services = self.replicas[number % 2]
        actors = [actor for actor in (*self.uploading, *self.collecting) if not actor.done()]
        match what:
            case "attach":
                task, word = self.held
                name, data = "ab"[number % 2], b"%d" % (number // 2)
                self.begin(self.uploading, services.attaching.attach(A, word, task.id, name, "", data))
            case "upload":
                self.begin(self.uploading, services.attaching.blobs.put(A, b"%d" % number))
            case "collect":
                self.begin(self.collecting, services.collecting.collect())
            case "die" if actors:
                actors[number % len(actors)].cancel()
            case "wait" if all(actor.done() for actor in self.uploading):  # within a day what is put is named
                self.house.wait(LONG)
            case _:
                self.gates.let(number)
        await settled()
        assert await self.house.named() <= await self.house.kept()

    def begin(self, actors: list[asyncio.Task[Any]], does: Coroutine[Any, Any, Any]) -> None:
        actors.append(asyncio.create_task(does))

    async def end(self) -> None:
        """Everybody comes to their end, a day passes, and somebody collects."""
        self.gates.open_all()
        for actor in (*self.uploading, *self.collecting):
            await asyncio.wait([actor])
            assert actor.cancelled() or actor.exception() is None, actor.exception()
        assert await self.house.named() <= await self.house.kept()
        self.house.wait(LONG)
        await self.replicas[0].collecting.collect()
        assert await self.house.named() == await self.house.kept()


async def settled() -> None:
    """Have everybody come as far as they can."""
    for _ in range(20):
        await asyncio.sleep(0)


@asynccontextmanager
async def open_play() -> AsyncIterator[Play]:
    """Two replicas whose every step waits to be told."""
    async with open_warehouse() as house:
        held, gates = await house.running(), Gates()
        backend = evolve(cast("Any", house.backend), tasks=Gated(house.backend.tasks, gates))
        blobs = cast("Any", Gated(house.blobs, gates))
        yield Play(house, gates, [services_over(backend, blobs, house.clock) for _ in range(2)], held)


@given(steps=STEPS)
@example(steps=PUT_AGAIN)
@example(steps=BEING_NAMED)
def test_nothing_that_is_named_goes_and_every_orphan_does(steps: Sequence[tuple[str, int]]) -> None:
    async def play() -> None:
        async with open_play() as started:
            for what, number in steps:
                await started.step(what, number)
            await started.end()

    asyncio.run(play())
