"""Who is offered what: a pure plan over free workers and ready tasks.

A task is offered to one free slot, and to twice as many every ``WIDEN`` for as long as nobody claims it: an idle
crowd does not race for one task, and a worker that ignores its offer delays it by a tenth of a second. Codebases
take turns: the one that was served longest ago goes first, whatever the length of its queue. Within a codebase it
is priority, then age.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from heapq import nlargest
from typing import Final

from attrs import define, field

from codetether_core.ids import CodebaseId, TaskId
from codetether_core.tasks import Lane, Profile, Task, refusals

__all__ = ["WIDEN", "Offers", "Slot"]

WIDEN: Final = timedelta(milliseconds=100)
IGNORED_AFTER: Final = timedelta(seconds=1)
"""An offer that was not taken by then no longer occupies its slot."""

WIDENED_AFTER: Final = timedelta(seconds=2)
"""By then a task has been offered to every worker that can take it."""

OFFER_AGAIN_AFTER: Final = timedelta(seconds=30)

_TURNS: Final = 10_000
"""Codebases whose turn is remembered."""


@define(eq=False)
class Slot:
    """One connected worker, as the plan sees it: what it can do, how many tasks it takes at once, which it has."""

    profile: Profile
    slots: int
    busy: set[TaskId] = field(factory=set)
    offered: dict[TaskId, datetime] = field(factory=dict)

    def takes(self, lane: Lane) -> bool:
        """Whether it may take tasks of this lane."""
        return not refusals(lane, self.profile)

    def free(self, now: datetime) -> int:
        """How many more tasks it can be offered now."""
        self.offered = {id: at for id, at in self.offered.items() if now - at < OFFER_AGAIN_AFTER}
        waiting = sum(now - at < IGNORED_AFTER for at in self.offered.values())
        return self.slots - len(self.busy) - waiting


@define(eq=False)
class _Offer:
    """How far a task has been offered: since when, and to how many."""

    first_at: datetime
    made: int = 0

    def missing(self, now: datetime) -> int:
        """To how many more slots the task should be offered by now."""
        return (1 << min((now - self.first_at) // WIDEN, 16)) - self.made


@define(eq=False)
class Offers:
    """The offers that are out. All of it may be lost without harm: who gets a task is decided by the swap alone."""

    _open: dict[TaskId, _Offer] = field(factory=dict)
    _turns: OrderedDict[CodebaseId, int] = field(factory=OrderedDict)
    _turn: int = 0

    def widening(self, now: datetime) -> bool:
        """Whether an offer is out that should soon go to more workers."""
        return any(now - offer.first_at < WIDENED_AFTER for offer in self._open.values())

    def __len__(self) -> int:
        return len(self._open)

    def settle(self, task: TaskId) -> None:
        """The task is claimed, ended or gone: forget its offers."""
        self._open.pop(task, None)

    def plan(
        self, ready: Iterable[tuple[Collection[Slot], Sequence[Task]]], slots: Sequence[Slot], now: datetime
    ) -> list[tuple[Slot, Task]]:
        """The offers to make now, of tasks with the slots that may take them; they are noted as made."""
        made: list[tuple[Slot, Task]] = []
        free = {slot: slot.free(now) for slot in slots}
        queues = _queues(ready)
        here = {task.id for queue in queues.values() for _, task in queue}
        self._open = {
            id: offer for id, offer in self._open.items() if id in here or now - offer.first_at < WIDENED_AFTER
        }
        waiting = deque(sorted(queues, key=lambda codebase: self._turns.get(codebase, 0)))
        while waiting and any(count > 0 for count in free.values()):
            codebase = waiting.popleft()
            chosen: list[Slot] = []
            while queues[codebase] and not chosen:
                takers, task = queues[codebase].popleft()
                chosen = self._choose(takers, task, free, now)
                made += [(slot, task) for slot in chosen]
            if chosen:
                self._served(codebase)
                waiting.append(codebase)
        return made

    def _served(self, codebase: CodebaseId) -> None:
        """It goes last now. Who was served longest ago may be forgotten, for that is who goes first."""
        self._turn += 1
        self._turns[codebase] = self._turn
        self._turns.move_to_end(codebase)
        if len(self._turns) > _TURNS:
            self._turns.popitem(last=False)

    def _choose(self, takers: Collection[Slot], task: Task, free: dict[Slot, int], now: datetime) -> list[Slot]:
        """The freest slots to which this task should go now."""
        offer = self._open.get(task.id) or _Offer(now)
        fitting = [slot for slot in free if free[slot] > 0 and task.id not in slot.offered and slot in takers]
        chosen = nlargest(offer.missing(now), fitting, key=free.__getitem__)
        for slot in chosen:
            free[slot] -= 1
            slot.offered[task.id] = now
        if chosen:
            offer.made += len(chosen)
            self._open[task.id] = offer
        return chosen


def _queues(
    ready: Iterable[tuple[Collection[Slot], Sequence[Task]]],
) -> dict[CodebaseId, deque[tuple[Collection[Slot], Task]]]:
    """The ready tasks by codebase, best first."""
    found: dict[CodebaseId, list[tuple[Collection[Slot], Task]]] = {}
    for takers, tasks in ready:
        for task in tasks:
            found.setdefault(task.spec.codebase, []).append((takers, task))
    for entries in found.values():
        entries.sort(key=lambda entry: (-entry[1].spec.priority, entry[1].created_at, entry[1].id))
    return {codebase: deque(entries) for codebase, entries in found.items()}
