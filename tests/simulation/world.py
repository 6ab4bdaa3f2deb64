"""Replicas over one store that fails, and everything that the world knows of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from random import Random
from typing import Final, TypeVar

from attrs import define, field

from codetether_adapters.faults import Faults, faulty
from codetether_adapters.memory.backend import open_backend
from codetether_core.access import Principal
from codetether_core.errors import Unavailable
from codetether_core.ids import TaskId
from codetether_core.ports import Backend
from codetether_core.services import Services, assemble
from codetether_core.tasks import LeaseTerms, Task
from tests.simulation.virtual_time import VirtualClock

__all__ = ["TERMS", "USER", "World", "open_world"]

T = TypeVar("T")

TERMS: Final = LeaseTerms(ttl=timedelta(seconds=60), run_timeout=timedelta(hours=2))
USER: Final = Principal(name="sim", roles=frozenset({"admin"}))


class SeededEntropy:
    """Dice that fall the same way each time (an ``Entropy``)."""

    def __init__(self, seed: int) -> None:
        self._dice = Random(seed)

    def bytes(self, count: int) -> bytes:
        """Random bytes."""
        return self._dice.randbytes(count)

    def fraction(self) -> float:
        """A draw from [0, 1)."""
        return self._dice.random()


@define(eq=False)
class World:
    """``replicas`` share ``store``. What a caller heard is kept here, to be held against what the store has."""

    dice: Random
    store: Backend
    replicas: list[Services]
    faults: Faults
    submitted: list[TaskId] = field(factory=list)
    acknowledged: dict[tuple[TaskId, int], int] = field(factory=dict)
    """How many pieces of output were acknowledged, by task and attempt."""
    outcomes: dict[TaskId, tuple[int, str]] = field(factory=dict)
    """The acknowledged outcomes: attempt and result."""
    _seen: dict[TaskId, Task] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        for replica in self.replicas:
            replica.dispatch.writer.observers.append(self._observe)

    def anybody(self) -> Services:
        """The replica that a load balancer would choose now."""
        return self.dice.choice(self.replicas)

    async def insist(self, say: Callable[[Services], Awaitable[T]]) -> T:
        """Say it to one replica after another until there is an answer; refusals are raised."""
        while True:
            try:
                return await say(self.anybody())
            except Unavailable:
                await asyncio.sleep(self.dice.random())

    def _observe(self, task: Task) -> None:
        """On every step: versions tell one story, and what has ended stays so."""
        known = self._seen.get(task.id)
        if known is None or task.version > known.version:
            self._seen[task.id] = task
        if known is not None and known.version < task.version:
            assert not known.ended or (task.state, task.result) == (known.state, known.result), (known, task)
            if known.grant and task.grant:
                assert task.grant.number >= known.grant.number, (known, task)


@asynccontextmanager
async def open_world(seed: int, *, replicas: int = 2) -> AsyncIterator[World]:
    """A new world in which desks and reapers run; clocks are up to 50 ms apart."""
    dice = Random(seed)
    faults = Faults(seed, before=0.05, after=0.05, late=0.1, delay=100.0)
    async with open_backend("memory://") as store, faulty(_already(store), faults) as backend:
        services = [
            assemble(
                backend,
                VirtualClock(timedelta(milliseconds=dice.randrange(-25, 25))),
                SeededEntropy(seed * 100 + number),
                terms=TERMS,
            )
            for number in range(replicas)
        ]
        world = World(dice, store, services, faults)
        async with asyncio.TaskGroup() as beside:
            loops = [
                beside.create_task(loop) for each in services for loop in (each.dispatch.run(), each.maintenance.run())
            ]
            yield world
            for loop in loops:
                loop.cancel()


@asynccontextmanager
async def _already(store: Backend) -> AsyncIterator[Backend]:
    yield store
