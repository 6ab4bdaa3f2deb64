"""What a round of offers costs, and that nobody waits for it. Costs are counted, not timed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from attrs import define, evolve, field

from codetether_adapters import memory
from codetether_adapters.system import SystemClock
from codetether_core.events import READY, Topic
from codetether_core.ids import CodebaseId, TaskId, TenantId, WorkerId
from codetether_core.ports import TaskStore
from codetether_core.services import Services, assemble, dispatch, lanes, offering
from codetether_core.services.dispatch import Connection
from codetether_core.services.offering import Offers, Slot
from codetether_core.tasks import Lane, Profile, Task
from contracts.ports.samples import CODEBASE, NOW, TENANT, claimed, new_task
from tests.services.conftest import Dice, FakeClock

pytestmark = pytest.mark.anyio

MANY = 10_000
PAUSE = timedelta(milliseconds=2)


@define(eq=False, repr=False)
class CountedTasks:
    """A task store that counts the lanes that it is asked for, and names."""

    store: TaskStore
    named: list[int] = field(factory=list)
    asked: list[int] = field(factory=list)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    async def lanes(self, tenant: TenantId, **page: Any) -> Sequence[Lane]:
        found = await self.store.lanes(tenant, **page)
        self.named.append(len(found))
        return found

    async def ready(self, lanes: Collection[Lane], limit: int) -> Sequence[Task]:
        self.asked.append(len(lanes))
        return await self.store.ready(lanes, limit)


@define(eq=False, repr=False)
class Desk:
    """The services, and what their store was asked."""

    services: Services
    clock: FakeClock
    tasks: CountedTasks

    @contextmanager
    def worker(self, id: str = "w", *, slots: int = 1, dedupes: bool = False, **members: Any) -> Any:
        known = {"codebases": frozenset({CODEBASE}), "capabilities": frozenset({"can"}), **members}
        profile = Profile(worker=WorkerId(id), tenant=TENANT, **known)
        with self.services.dispatch.connect(profile, name=id, slots=slots, dedupes=dedupes) as connection:
            yield connection

    async def rounds_until(self, connection: Connection, id: str, *, woken: bool = True) -> timedelta:
        """How long it takes by the clock until the worker is offered this task."""
        began = self.clock.now()
        while True:
            rest = await self.services.dispatch.offer_ready(woken=woken)
            if id in connection.slot.offered:
                return self.clock.now() - began
            woken = False
            await self.clock.sleep(PAUSE + rest)
            assert self.clock.now() - began < timedelta(seconds=30), "nobody offers it"

    def cost(self) -> tuple[int, int]:
        """The most lanes that were named, and asked for, in one round."""
        return max(self.tasks.named, default=0), max(self.tasks.asked, default=0)


@pytest.fixture
async def desk(anyio_backend: str, clock: FakeClock) -> AsyncIterator[Desk]:
    async with memory.open_backend() as backend:
        tasks = CountedTasks(backend.tasks)
        yield Desk(assemble(evolve(backend, tasks=tasks), clock, Dice()), clock, tasks)  # type: ignore[misc]


async def crowd(desk: Desk, size: int = MANY) -> None:
    """Very many urgent tasks, each in a lane of its own, that nobody can take."""
    for n in range(size):
        await desk.tasks.add(new_task(f"t{n}", priority=9, required_capabilities=(f"cannot{n}",)))


async def test_a_round_looks_at_few_lanes_and_a_task_from_elsewhere_is_offered_within_a_second(desk: Desk) -> None:
    await crowd(desk)
    with desk.worker() as worker:
        for n in range(3):
            await desk.tasks.add(new_task(f"ours{n}", required_capabilities=("can",)))
            assert await desk.rounds_until(worker, f"ours{n}") < timedelta(seconds=1)
            await take(desk, f"ours{n}")
    assert desk.cost() == (lanes.PAGE, 1)


async def take(desk: Desk, id: str) -> None:
    """Somebody else claims it, in this process."""
    await desk.services.dispatch.writer.apply(TENANT, TaskId(id), lambda task: claimed(task, worker="another"))


async def test_what_becomes_ready_in_this_process_needs_no_search(desk: Desk) -> None:
    await crowd(desk)
    with desk.worker() as worker:
        await desk.services.dispatch.offer_ready()
        await desk.services.dispatch.writer.add(new_task("ours"))
        assert await desk.rounds_until(worker, "ours") == timedelta()
        assert sum(desk.tasks.named) <= 2 * lanes.PAGE


async def test_a_free_slot_needs_no_search_for_lanes_that_are_known(desk: Desk) -> None:
    await crowd(desk)
    with desk.worker() as worker:
        for n in range(3):
            await desk.tasks.add(new_task(f"ours{n}"))
        await desk.rounds_until(worker, "ours0")
        await take(desk, "ours0")
        for n in (1, 2):
            assert await desk.rounds_until(worker, f"ours{n}", woken=False) == timedelta()
            await take(desk, f"ours{n}")


async def test_a_search_that_takes_long_is_made_seldom(desk: Desk) -> None:
    """A desk that is woken all the time, and one that nobody wakes."""
    await crowd(desk, size := 2_000)
    for woken, most in ((True, 40), (False, 4)):
        desk.tasks.named.clear()
        with desk.worker():
            began = desk.clock.now()
            while desk.clock.now() - began < timedelta(seconds=2.5):
                await desk.clock.sleep(PAUSE + await desk.services.dispatch.offer_ready(woken=woken))
        assert size <= sum(desk.tasks.named) <= most * size


async def test_many_lanes_that_can_be_served_take_turns(desk: Desk) -> None:
    """None is left out, and a round asks for a bounded number of them."""
    for n in range(2_000):
        await desk.tasks.add(new_task(f"t{n}", codebase=CodebaseId(f"cb{n}")))
    with desk.worker(slots=5_000, codebases=frozenset(f"cb{n}" for n in range(2_000))) as worker:
        deadline = desk.clock.now() + timedelta(seconds=1)
        while desk.clock.now() < deadline:
            await desk.clock.sleep(PAUSE + await desk.services.dispatch.offer_ready(woken=False))
        assert len(worker.slot.offered) == 2_000
    assert desk.cost() <= (lanes.PAGE, 512)


async def test_a_thousand_wake_ups_are_few_rounds(anyio_backend: str) -> None:
    async with memory.open_backend() as backend:
        tasks = CountedTasks(backend.tasks)
        services = assemble(evolve(backend, tasks=tasks), SystemClock(), Dice())  # type: ignore[misc]
        desk = Desk(services, FakeClock(), tasks)
        with desk.worker():
            running = asyncio.create_task(services.dispatch.run())
            loop = asyncio.get_running_loop()
            began = loop.time()
            while loop.time() - began < 0.2:
                await backend.notifier.notify([Topic(TENANT, READY)])
                await asyncio.sleep(0)
            elapsed = loop.time() - began
            running.cancel()
        assert len(tasks.asked) <= 2 + elapsed / PAUSE.total_seconds()


async def test_a_worker_that_serves_more_is_offered_that(desk: Desk) -> None:
    await desk.tasks.add(new_task("theirs", codebase=CodebaseId("new")))
    with desk.worker() as worker, desk.worker("w2", capabilities=frozenset()):
        await desk.services.dispatch.offer_ready()
        assert not worker.slot.offered
        assert desk.services.dispatch.serve(TENANT, WorkerId("w"), frozenset({"new"})) == 1
        assert await desk.rounds_until(worker, "theirs") == timedelta()
        desk.services.dispatch.serve(TENANT, WorkerId("w"), frozenset())
        await desk.services.dispatch.offer_ready()
        assert desk.tasks.asked[-1] == 0


async def test_targets_are_found_among_many_workers(desk: Desk) -> None:
    await desk.tasks.add(new_task("t", target_worker=WorkerId("w2")))
    await desk.tasks.add(new_task("gone", target_worker=WorkerId("w9")))
    with desk.worker("w1") as one, desk.worker("w2", agents=frozenset({"build"})) as two:
        await desk.services.dispatch.offer_ready()
        assert (set(one.slot.offered), set(two.slot.offered)) == (set(), {"t"})


async def test_the_desk_forgets_who_is_gone(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was announced is remembered for workers that ignore it the second time, the latest of it only."""
    monkeypatch.setattr(dispatch, "_REMEMBERED", 10)
    for n in range(100):
        await desk.tasks.add(new_task(f"t{n}"))
    desk_ = desk.services.dispatch
    for dedupes, remembered in ((False, 0), (True, 10)):
        for n in range(10):
            with desk.worker(f"{dedupes}{n}", slots=3, dedupes=dedupes):
                await desk_.offer_ready()
            desk.clock.at += timedelta(seconds=3)
        assert len(desk_._announced) == remembered
    assert not desk_._lanes and not desk_.connections


def test_turns_are_remembered_for_a_bounded_number_of_codebases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that were served longest ago are forgotten, and are first again anyway."""
    monkeypatch.setattr(offering, "_TURNS", 10)
    offers = Offers()
    slot = Slot(Profile(worker=WorkerId("w"), tenant=TENANT), slots=1000)
    for n in range(50):
        offers.plan([({slot}, [new_task(f"t{n}", codebase=CodebaseId(f"cb{n}"))])], [slot], NOW)
    assert [*offers._turns] == [f"cb{n}" for n in range(40, 50)]
