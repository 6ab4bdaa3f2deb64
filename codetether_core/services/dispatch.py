"""Bringing tasks to workers: connect and offer.

One desk a process. It wakes when a task becomes ready (and every second besides, since a wake-up may be lost), asks
the store for the lanes that its free workers can serve, and offers. An offer is a hint; the claim is a swap.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Final

from attrs import define, evolve, field

from codetether_core.errors import NotFound, Unavailable
from codetether_core.events import READY, Topic
from codetether_core.ids import TaskId, TenantId, WorkerId
from codetether_core.ports import Clock, Listener, Notifier, TaskStore
from codetether_core.services.lanes import SWEEP, Lanes
from codetether_core.services.offering import WIDEN, Offers, Slot
from codetether_core.services.task_writer import TaskWriter
from codetether_core.tasks import Lane, Profile, Task, TaskState, lane_of

__all__ = ["Connection", "Dispatch"]

_PAUSE: Final = timedelta(milliseconds=2)
"""Between two rounds, however often the bell rings."""

_REMEMBERED: Final = 50_000
"""Announcements to deployed workers, of all of them together."""


@define(eq=False)
class Connection:
    """A worker's open stream. ``since`` and the profile are what ``connected`` lists tell."""

    slot: Slot
    bell: Listener
    since: datetime
    name: str
    dedupes: bool
    ended: bool = False
    _notices: list[Task] = field(factory=list)

    async def notices(self, beat: timedelta) -> Sequence[Task]:
        """What happened since the last call; nothing after ``beat``, or when the stream has to end (``ended``).

        A pending task is an offer; a cancelled one is a run that the worker should stop.
        """
        if not self._notices and not self.ended:
            await self.bell.wait(beat)
        notices, self._notices = self._notices, []
        return notices

    def tell(self, task: Task) -> None:
        """Hand an offer, or a cancelled task, to the stream."""
        self._notices.append(task)
        self.bell.ring()

    def end(self) -> None:
        """Ask the stream to close."""
        self.ended = True
        self.bell.ring()


@define(eq=False)
class Dispatch:
    """The desk."""

    writer: TaskWriter
    tasks: TaskStore
    notifier: Notifier
    clock: Clock
    connections: list[Connection] = field(factory=list)
    _offers: Offers = field(factory=Offers)
    _bell: Listener | None = None
    _lanes: dict[TenantId, Lanes] = field(factory=dict)
    _announced: OrderedDict[tuple[TenantId, WorkerId, TaskId], None] = field(factory=OrderedDict)

    def __attrs_post_init__(self) -> None:
        self.writer.observers.append(self._note)

    @contextmanager
    def connect(self, profile: Profile, *, name: str, slots: int, dedupes: bool) -> Generator[Connection]:
        """Hold a worker's stream open at the desk.

        ``dedupes`` marks a deployed worker, which ignores a task id that its stream has brought before: such a
        stream is ended instead, and the worker finds the task by polling before it connects again.
        """
        with self.notifier.listen() as bell:
            connection = Connection(Slot(profile, slots), bell, self.clock.now(), name, dedupes)
            lanes = self._lanes.setdefault(profile.tenant, Lanes(profile.tenant))
            lanes.join(connection.slot)
            self.connections.append(connection)
            self._ring()
            try:
                yield connection
            finally:
                self.connections.remove(connection)
                lanes.leave(connection.slot)
                if lanes.deserted:
                    del self._lanes[profile.tenant]

    async def run(self) -> None:
        """Offer ready tasks to connected workers, until cancelled."""
        while True:
            tenants, woken = self._tenants(), True
            with self.notifier.listen(*(Topic(tenant, READY) for tenant in tenants)) as self._bell:
                while tenants == self._tenants():
                    rest = SWEEP
                    with suppress(Unavailable):  # the probes tell of it; the next round may find the store again
                        rest = await self.offer_ready(woken=woken)
                    if self._offers.widening(self.clock.now()):
                        rest = min(rest, WIDEN)
                    await self.clock.sleep(_PAUSE)
                    woken = await self._bell.wait(rest)

    async def offer_ready(self, *, woken: bool = True) -> timedelta:
        """One round of offers; how long the next may wait. ``woken`` if something may have become ready."""
        rest = SWEEP
        for lanes in self._lanes.values():
            if woken:
                lanes.wake()
        for tenant, lanes in [*self._lanes.items()]:
            now = self.clock.now()
            here = {each.slot: each for each in self._newest(tenant)}
            free = {slot: slot.free(now) for slot in here}
            open_slots = sum(max(count, 0) for count in free.values())
            if not open_slots:
                continue
            await lanes.search(self.tasks, now)
            takers = lanes.next(free)
            ready: dict[Lane, list[Task]] = {lane: [] for lane in takers}
            for task in await self.tasks.ready(takers, open_slots + len(self._offers)):
                ready[lane_of(task.tenant, task.spec)].append(task)
            lanes.drop(lane for lane, tasks in ready.items() if not tasks)
            present = [slot for slot, connection in here.items() if connection in self.connections]
            for slot, task in self._offers.plan([(takers[lane], ready[lane]) for lane in takers], present, now):
                self._bring(here[slot], task)
            rest = min(rest, lanes.rest(now))
        return rest

    def serve(self, tenant: TenantId, worker: WorkerId, codebases: frozenset[str]) -> int:
        """From now on the worker's streams here are for these codebases; how many streams that are."""
        connections = self.of_worker(tenant, worker)
        for connection in connections:
            if connection.slot.profile.codebases != codebases:
                lanes = self._lanes[tenant]
                lanes.leave(connection.slot)
                connection.slot.profile = evolve(connection.slot.profile, codebases=codebases)
                lanes.join(connection.slot)
                self._ring()
        return len(connections)

    async def occupy(self, connection: Connection) -> None:
        """Count what the worker holds against its slots, as the store has it: other replicas hear its words too.

        What it held and no longer does since it was cancelled elsewhere is told to the stream.
        """
        slot = connection.slot
        before = set(slot.busy)
        held = {task.id for task in await self.tasks.held(slot.profile.tenant, slot.profile.worker)}
        gone = (before - held) & slot.busy
        slot.busy |= held - (before - slot.busy)
        for id in gone:
            slot.busy.discard(id)
            with suppress(NotFound):
                task = await self.tasks.get(slot.profile.tenant, id)
                if task.state is TaskState.CANCELLED and not task.stopped:
                    connection.tell(task)
        if gone:
            self._ring()

    def of_worker(self, tenant: TenantId, worker: WorkerId) -> list[Connection]:
        """The worker's open streams at this process."""
        return [
            connection
            for connection in self.connections
            if (connection.slot.profile.tenant, connection.slot.profile.worker) == (tenant, worker)
        ]

    def _bring(self, connection: Connection, task: Task) -> None:
        profile = connection.slot.profile
        if connection.dedupes:
            announcement = profile.tenant, profile.worker, task.id
            if announcement in self._announced:
                connection.end()
                return
            self._announced[announcement] = None
            if len(self._announced) > _REMEMBERED:
                self._announced.popitem(last=False)
        connection.tell(task)

    def _note(self, task: Task) -> None:
        """Keep the slots' books after a change that this process made."""
        if not task.ready:
            self._offers.settle(task.id)
        elif (lanes := self._lanes.get(task.tenant)) and lanes.learn(lane_of(task.tenant, task.spec)):
            self._ring()
        holder = task.holder if not task.lapsed else None
        for connection in self.connections:
            slot = connection.slot
            if holder and (slot.profile.worker, slot.profile.tenant) == (holder.worker, task.tenant):
                slot.busy.add(task.id)
            elif task.id in slot.busy:
                slot.busy.discard(task.id)
                if task.state is TaskState.CANCELLED and not task.stopped:
                    connection.tell(task)
                self._ring()
            if not task.ready:
                slot.offered.pop(task.id, None)

    def _newest(self, tenant: TenantId) -> Iterable[Connection]:
        """One stream of each worker: of two, the older is likely cut off and does not know it yet."""
        profiles = ((each.slot.profile, each) for each in self.connections)
        return {profile.worker: each for profile, each in profiles if profile.tenant == tenant}.values()

    def _tenants(self) -> frozenset[TenantId]:
        return frozenset(connection.slot.profile.tenant for connection in self.connections)

    def _ring(self) -> None:
        if self._bell:
            self._bell.ring()
