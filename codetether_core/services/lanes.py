"""The lanes that somebody who is connected here can serve.

A tenant's lanes are searched a page at a time, and those that a connected worker may take are kept, with who may. So
a round looks at one page at most, however many lanes nobody can serve, and asks the store for the kept ones only.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import Final

from attrs import define, field

from codetether_core.ids import TenantId, WorkerId
from codetether_core.ports import TaskStore
from codetether_core.services.offering import Slot
from codetether_core.tasks import Lane, Profile, Refusal, refusals

__all__ = ["PAGE", "SWEEP", "Lanes"]

PAGE: Final = 128
"""Lanes that are looked at in one round."""

SWEEP: Final = timedelta(seconds=1)
"""A search begins this long after the last one, for a wake-up may be lost."""

_ASKED: Final = 512
_KEPT: Final = 10_000
_REST: Final = timedelta(milliseconds=5)
_LONG_REST: Final = timedelta(milliseconds=50)
"""For each page of a search there is a rest before the next one: how short when woken, how long otherwise."""


@define(eq=False)
class Lanes:
    """Those of one tenant. All of it may be lost without harm: the next search finds them."""

    tenant: TenantId
    _slots: dict[WorkerId, set[Slot]] = field(factory=dict)
    _crowds: list[Profile] | None = None
    _kept: OrderedDict[Lane, set[Slot]] = field(factory=OrderedDict)
    _unasked: int = 0
    _woken: bool = True
    _began: datetime | None = None
    _pages: int = 0
    _after: str | None = None

    def join(self, slot: Slot) -> None:
        """A worker came: what it can serve is searched for."""
        self._slots.setdefault(slot.profile.worker, set()).add(slot)
        self._crowds = None
        for lane, takers in self._kept.items():
            if slot.takes(lane):
                takers.add(slot)
        self.wake()

    def leave(self, slot: Slot) -> None:
        """It went, or is about to change: what it alone could serve is dropped."""
        self._slots[slot.profile.worker].discard(slot)
        if not self._slots[slot.profile.worker]:
            del self._slots[slot.profile.worker]
        self._crowds = None
        for takers in self._kept.values():
            takers.discard(slot)
        self.drop([lane for lane, takers in self._kept.items() if not takers])

    @property
    def deserted(self) -> bool:
        """Whether nobody is connected."""
        return not self._slots

    def wake(self) -> None:
        """Something became ready, or somebody free: search again, and ask for every lane that is kept."""
        self._woken = True
        self._unasked = len(self._kept)

    def learn(self, lane: Lane) -> bool:
        """Keep a lane that has a ready task; whether that is news, and of use to anybody here."""
        if lane in self._kept or not (takers := self._takers(lane)):
            return False
        self._kept[lane] = takers
        self._kept.move_to_end(lane, last=False)
        self._unasked += 1
        if len(self._kept) > _KEPT:
            self._kept.popitem()
        return True

    def drop(self, lanes: Iterable[Lane]) -> None:
        """These have no ready task, or nobody to serve them."""
        for lane in lanes:
            self._kept.pop(lane, None)

    async def search(self, tasks: TaskStore, now: datetime) -> None:
        """Look at the next page of the search, if one is under way or due."""
        if self._after is None and now >= self._due(now):
            self._after, self._pages, self._began, self._woken = "", 0, now, False
        if self._after is not None:
            page = await tasks.lanes(self.tenant, after=self._after, limit=PAGE)
            self._pages += 1
            for lane in page:
                self.learn(lane)
            self._after = page[-1].key if len(page) == PAGE else None

    def next(self, free: Mapping[Slot, int]) -> Mapping[Lane, Collection[Slot]]:
        """The lanes to ask for in this round, and who may take them: those whose turn was longest ago."""
        now = list(islice(self._kept.items(), _ASKED))
        self._unasked = max(self._unasked - len(now), 0)
        if len(self._kept) > _ASKED:
            for lane, _ in now:
                self._kept.move_to_end(lane)
        return {lane: takers for lane, takers in now if any(free.get(slot, 0) > 0 for slot in takers)}

    def rest(self, now: datetime) -> timedelta:
        """How long the desk may wait for somebody to call it."""
        if self._after is not None or self._unasked > 0:
            return timedelta()
        return min(max(self._due(now) - now, timedelta()), SWEEP)

    def _due(self, now: datetime) -> datetime:
        """When the next search may begin: what takes long is done seldom."""
        if self._began is None:
            return now
        if self._woken:
            return self._began + (self._pages - 1) * _REST
        return self._began + max(self._pages * _LONG_REST, SWEEP)

    def _takers(self, lane: Lane) -> set[Slot]:
        """Who may take its tasks. What nobody can do is known without asking everybody."""
        if self._crowds is None:
            self._crowds = [self._together(relays) for relays in (False, True)]
        if not any(set(refusals(lane, crowd)) <= {Refusal.TARGET_WORKER} for crowd in self._crowds):
            return set()
        if lane.target_worker:
            candidates: Iterable[Slot] = self._slots.get(lane.target_worker, ())
        else:
            candidates = chain.from_iterable(self._slots.values())
        return {slot for slot in candidates if slot.takes(lane)}

    def _together(self, relays: bool) -> Profile:
        """What the connected workers can do as if they were one: those that relay, or the others."""
        everybody = chain.from_iterable(self._slots.values())
        profiles = [slot.profile for slot in everybody if slot.profile.relays is relays]
        anything = any(not profile.agents for profile in profiles)
        return Profile(
            worker=WorkerId(""),
            tenant=self.tenant,
            names=frozenset[str]().union(*(profile.names for profile in profiles)),
            codebases=frozenset[str]().union(*(profile.codebases for profile in profiles)),
            capabilities=frozenset[str]().union(*(profile.capabilities for profile in profiles)),
            agents=frozenset[str]().union(*(profile.agents for profile in profiles if not anything)),
            relays=relays,
        )
