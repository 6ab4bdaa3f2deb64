"""Two replicas under load, at the moment before something goes wrong, and what must be so after it."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Final

from attrs import define, field, frozen

from codetether_apps.settings import read_settings
from codetether_apps.wiring.backends import open_backend
from codetether_core.access import DEFAULT_TENANT
from codetether_core.errors import NotFound
from codetether_core.ids import TaskId
from codetether_core.services import Watching
from codetether_core.tasks import TaskState
from tests.chaos.printing import Printing, numbers
from tests.chaos.submitter import Submitter
from tests.chaos.watcher import Watcher
from tests.e2e.cluster import Cluster
from tests.e2e.line import Line
from tests.e2e.programs import ROOT, Program, until
from tests.simulation.promises import by_task, everything, sound
from tests.simulation.virtual_time import VirtualClock

__all__ = ["Moment", "Stage", "staged"]

_HELD: Final = 3
"""Tasks that the worker runs to which something may happen."""

_UNDER_WAY: Final = 5
"""Numbers that an agent prints in some half a second, in which what a cut line still carried is stored."""

_HISTORY: Final = 100_000
"""Numbers, which are some pages of the log."""


@frozen
class Moment:
    """How things stood when the fault came."""

    running: int
    unacknowledged: int
    replaying: int


@define(eq=False)
class Stage:
    """``one`` and ``two`` are replicas, processes that share nothing but a store; or the same, where a store is a file.

    ``held`` are printed by ``worker``, which reaches ``one`` over ``line``; the ``bystander`` has one more, and room
    for all of them. A watcher stands still in the middle of a long history at each replica, and clients submit tasks.
    """

    one: Cluster
    two: Cluster
    dice: Random
    servers: list[Program] = field(factory=list)
    printing: list[Printing] = field(factory=list)
    watchers: list[Watcher] = field(factory=list)
    submitters: list[Submitter] = field(factory=list)
    worker: Program = field(init=False)
    line: Line = field(init=False)
    _told: int = field(default=0, init=False)

    @property
    def replicas(self) -> Sequence[Cluster]:
        """Both, or the one that there is."""
        return (self.one, self.two) if self.two is not self.one else (self.one,)

    @property
    def programs(self) -> Sequence[Program]:
        """All that was started."""
        return [program for replica in self.replicas for program in replica.programs]

    @property
    def held(self) -> Sequence[Printing]:
        """What ``worker`` runs."""
        return self.printing[:_HELD]

    def open(self, *, ttl: str = "60s") -> None:
        """Start everything, and wait until all of it is under way."""
        for replica in self.replicas:
            replica.settings |= {"CODETETHER_LEASE_TTL": ttl, "CODETETHER_DRAIN": "1s"}
            self.servers.append(replica.server())
        self.line = Line(self.one.port)
        slots = {"CODETETHER_WORKER_SLOTS": str(_HELD), "CODETETHER_SERVER": self.line.url}
        self.worker = self.one.worker("held", **slots)
        for number in range(_HELD):
            self.print(f"p{number}", history=0 if number else _HISTORY)
        self.two.worker("bystander", CODETETHER_WORKER_SLOTS="8")
        self.print("aside")
        watched = self.printing[0].id
        self._told = self.one.output(self.one.client.tasks.handle(watched))[-1]["sequence"]
        self.watchers += [Watcher(replica.port, watched) for replica in self.replicas]
        self.submitters += [Submitter(replica.url) for replica in self.replicas]
        until(lambda: all(watcher.stands_still for watcher in self.watchers), "watchers in the middle")
        until(lambda: all(submitter.accepted for submitter in self.submitters), "submissions")

    def print(self, name: str, *, history: int = 0, by: str | None = None) -> Printing:
        """Have one more task print; return once the server has some of it, unless it waits for a certain worker."""
        place = self.one.directory / name
        script = Printing.script(place, history)
        task = self.one.client.tasks.run(script, agent="sh", title=name, target_agent=by)
        printing = Printing(task.id, place)
        self.printing.append(printing)
        until(lambda: by is not None or numbers(self.output(printing)) > history, f"output of {name}")
        return printing

    def output(self, printing: Printing, attempt: int = 1) -> str:
        """What the store has of an attempt, by the word of the second replica."""
        told = self.two.output(self.two.client.tasks.handle(printing.id))
        return "".join(each["output"] for each in told if each["attempt"] == attempt)

    def hold_back(self) -> None:
        """At some moment cut the worker's line; wait until its agents have printed what nobody has acknowledged."""
        one, count = self.dice.choice(self.held[1:]), self.dice.randint(1, 20)
        until(lambda: one.printed() > count, "some output")
        self.line.cut.set()
        under_way = one.printed() + _UNDER_WAY
        until(lambda: one.printed() > under_way, "output that the line does not carry any more")

    def strike(self, fault: Callable[[], object]) -> Moment:
        """Let it happen, at a moment that is worth it."""
        running = [self.two.client.tasks.get(each.id).status is TaskState.RUNNING for each in self.printing]
        replaying = [watcher.stands_still and watcher.reached < self._told for watcher in self.watchers]
        moment = Moment(sum(running), self._unacknowledged(), sum(replaying))
        assert moment.running >= 3, moment
        assert moment.unacknowledged >= 1, moment
        assert moment.replaying >= 1, moment
        fault()
        return moment

    def accepted(self) -> Sequence[TaskId]:
        """Every task that was answered with success."""
        return [each.id for each in self.printing] + [id for each in self.submitters for id in each.accepted]

    def kill_servers(self) -> None:
        """All of them, as ``kill -9`` does."""
        for server in self.servers:
            server.kill()

    def end(self, *, loss: bool = False) -> set[TaskId]:
        """Let everything come to its end, and hold it against what was promised; the accepted tasks that are lost.

        Where a store has said that it lost something tasks may be gone, and pieces of output; nothing else may.
        """
        for submitter in self.submitters:
            submitter.end()
        for printing in self.printing:
            printing.end()
        for watcher, replica in zip(self.watchers, reversed(self.replicas), strict=True):
            watcher.resume(replica.port)
        lost = {id for id in self.accepted() if loss and not self.exists(id)}
        for id in self.accepted():
            until(lambda id=id: id in lost or self.two.client.tasks.get(id).ended, f"the end of {id}")  # type: ignore[misc]
        for watcher in self.watchers:
            watcher.end()
        for replica in self.replicas:
            told = [event.raw for event in replica.client.tasks.handle(self.printing[0].id).events()]
            for watcher in self.watchers:
                events = [event for event in watcher.events if event.name != "resync"]
                assert [event.raw for event in events] == told
                assert [event.data["sequence"] for event in events] == [*range(1, len(told) + 1)]
                assert len(watcher.events) - len(events) == int(loss)
        if self.two is self.one:  # nobody reads a file that is in use
            for server in self.servers:
                server.signal(signal.SIGTERM)
                assert server.wait() == 0, server.said
        self.kept(set(self.accepted()) - lost, loss=loss)
        for program in self.programs:
            assert program.tree != ROOT or "Traceback" not in program.said
        return lost

    def exists(self, id: TaskId) -> bool:
        """Whether a task is there, by the word of the second replica."""
        try:
            self.two.client.tasks.get(id)
        except NotFound:
            return False
        return True

    def kept(self, ids: Collection[TaskId], *, loss: bool = False) -> None:
        """Fail unless each of these tasks is completed, once, each run's output whole, and none of it mixed."""
        asyncio.run(self._kept(ids, loss))

    def close(self) -> None:
        """End whatever still runs."""
        for submitter in self.submitters:
            submitter.close()
        for watcher in self.watchers:
            watcher.close()
        if self.servers:
            self.line.close()
        for replica in self.replicas:
            replica.close()

    def _unacknowledged(self) -> int:
        """How many agents have printed more than the store has."""
        return sum(each.printed() > numbers(self.output(each)) for each in self.held)

    async def _kept(self, ids: Collection[TaskId], loss: bool) -> None:
        settings = read_settings({"storage.store": self.one.settings["CODETETHER_STORE"]})
        printing = {each.id for each in self.printing}
        async with open_backend(settings) as backend:
            stories = by_task(await everything(Watching(backend.log, backend.notifier, VirtualClock())))
            for id in ids:
                task = await backend.tasks.get(DEFAULT_TENANT, id)
                assert task.state is TaskState.COMPLETED, task
                for texts in sound(task, stories[id]).values():
                    if id in printing:
                        numbers("".join(texts), gaps=loss)


@contextmanager
def staged(directory: Path, settings: Mapping[str, str], seed: int, *, replicas: int = 2) -> Iterator[Stage]:
    """A stage over a store, on which nothing runs yet; what its programs said is told in the end."""
    several = []
    for name in ("one", "two")[:replicas]:
        (directory / name).mkdir()
        several.append(Cluster(directory / name, dict(settings)))
    stage = Stage(several[0], several[-1], Random(seed))
    try:
        yield stage
    finally:
        stage.close()
        for replica in several:
            sys.stderr.write(replica.said())
