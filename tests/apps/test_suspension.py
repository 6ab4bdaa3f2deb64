"""A machine is suspended for two hours, server and workers with it: nobody was silent, for nobody could speak."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import anyio
import pytest
from attrs import define

from codetether_adapters.memory.backend import open_backend
from codetether_adapters.system import SystemClock, SystemEntropy
from codetether_apps.wiring.timekeeping import keep_time
from codetether_core.access import SYSTEM
from codetether_core.ids import CodebaseId, WorkerId
from codetether_core.services import Services, assemble
from codetether_core.tasks import LeaseTerms, Task, TaskSpec, TaskState, Word
from codetether_core.workers import Worker

pytestmark = pytest.mark.anyio

TERMS = LeaseTerms(ttl=timedelta(seconds=60))
TWO_HOURS = timedelta(hours=2)
RUNS = 50


@define
class Machine:
    """Its two clocks. While it sleeps, only the wall clock goes on."""

    wall: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    monotonic_ns: int = 5_000_000_000

    def works(self, duration: timedelta) -> None:
        """Time goes by."""
        self.wall += duration
        self.monotonic_ns += duration // timedelta(microseconds=1) * 1000

    def sleeps(self, duration: timedelta) -> None:
        """Time goes by unnoticed."""
        self.wall += duration


async def claimed(services: Services, worker: str, count: int) -> list[Task]:
    """Tasks that a worker runs."""
    clock = services.clock
    tasks = []
    await services.registration.add_worker(
        SYSTEM,
        Worker(
            id=WorkerId(worker),
            tenant=SYSTEM.tenant,
            principal=SYSTEM.name,
            name=worker,
            registered_at=clock.now(),
            last_seen=clock.now(),
            slots=count,
        ),
    )
    for number in range(count):
        spec = TaskSpec(codebase=CodebaseId("global"), title=str(number), prompt="p")
        task = await services.submission.submit(SYSTEM, spec)
        tasks.append(await services.claiming.claim(SYSTEM, WorkerId(worker), task.id, tokened=True))
    return tasks


def word(task: Task) -> Word:
    """What its holder shows."""
    assert task.grant is not None
    return Word(worker=task.grant.worker, principal=SYSTEM.name, token=task.grant.token)


async def test_nothing_lapses_when_the_machine_wakes() -> None:
    """No storm: not one attempt is charged, and the leases go on where they stood."""
    machine = Machine()
    clock = SystemClock(machine.wall, monotonic_ns=lambda: machine.monotonic_ns)
    async with open_backend("memory://") as backend:
        services = assemble(backend, clock, SystemEntropy(), terms=TERMS)
        tasks = await claimed(services, "w", RUNS)
        machine.works(timedelta(seconds=20))
        machine.sleeps(TWO_HOURS)
        sweep = await services.maintenance.sweep()
        assert (sweep.lapsed, sweep.failed) == (0, 0)
        machine.works(timedelta(seconds=20))
        for task in tasks:
            renewed = await services.reporting.renew(SYSTEM.tenant, word(task), task.id)
            assert (renewed.state, renewed.charged) == (TaskState.RUNNING, 0)
        machine.works(timedelta(seconds=61))  # and silence still counts
        assert (await services.maintenance.sweep()).lapsed == RUNS


async def test_where_the_clock_went_on_whoever_renews_at_once_is_honoured() -> None:
    """Stopped processes, or a system whose monotonic clock counts sleep: lapsed, renewed, and the charge given back."""
    machine = Machine()
    clock = SystemClock(machine.wall, monotonic_ns=lambda: machine.monotonic_ns)
    async with open_backend("memory://") as backend:
        services = assemble(backend, clock, SystemEntropy(), terms=TERMS)
        tasks = await claimed(services, "w", RUNS)
        machine.works(TWO_HOURS)
        assert (await services.maintenance.sweep()).lapsed == RUNS
        for task in tasks:
            renewed = await services.reporting.renew(SYSTEM.tenant, word(task), task.id)
            assert (renewed.state, renewed.charged) == (TaskState.RUNNING, 0)
            done = await services.reporting.complete(SYSTEM.tenant, word(task), task.id, "done")
            assert (done.state, len(done.attempts)) == (TaskState.COMPLETED, 1)


async def test_a_replica_that_slept_alone_catches_up_and_lets_holders_speak_first() -> None:
    """Others went on by the store's time: what it grants from then on is no shorter, and nothing lapses meanwhile."""
    machine = Machine()
    store = machine.wall
    clock = SystemClock(store, monotonic_ns=lambda: machine.monotonic_ns, wall=lambda: machine.wall)
    async with open_backend("memory://") as backend:
        services = assemble(backend, clock, SystemEntropy(), terms=TERMS)
        tasks = await claimed(services, "w", RUNS)
        machine.sleeps(TWO_HOURS)
        woken = asyncio.Event()

        async def asked() -> datetime:
            if woken.is_set():
                await asyncio.Event().wait()
            return store + TWO_HOURS

        def woke() -> None:
            services.maintenance.rest(TERMS.ttl)
            woken.set()

        keeping = asyncio.create_task(keep_time(clock, asked, woke, every=0))
        await woken.wait()
        assert clock.now() == store + TWO_HOURS
        assert services.maintenance.alive
        reaping = asyncio.create_task(services.maintenance.run())
        await anyio.wait_all_tasks_blocked()
        for task in tasks:
            renewed = await services.reporting.renew(SYSTEM.tenant, word(task), task.id)
            assert renewed.holder is not None and renewed.holder.expires_at == clock.now() + TERMS.ttl
            assert (renewed.state, renewed.charged, len(renewed.attempts)) == (TaskState.RUNNING, 0, 0)
        for doing in (keeping, reaping):
            doing.cancel()
        await asyncio.wait([keeping, reaping])
        assert services.maintenance.last.at is None
