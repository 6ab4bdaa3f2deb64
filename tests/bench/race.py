"""Everybody wants the same tasks: each has to be granted once and completed once, and nothing may be lost."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence

from attrs import frozen

from codetether_core.access import SYSTEM
from codetether_core.events import Topic
from codetether_core.tasks import TaskState
from tests.bench.claims import opened
from tests.bench.lives import create, finish, register
from tests.bench.servers import Server

__all__ = ["Outcomes", "outcomes_of", "race"]

_EACH = 4
"""Connections to each server."""


def race(servers: Sequence[Server], tasks: int) -> int:
    """Have all connections claim each of so many tasks at once; how many were granted to more than one, or to none."""
    control = servers[0].connect()
    codebase = register(control)
    ids = [create(control, codebase, number) for number in range(tasks)]
    granted: Counter[str] = Counter()
    line = threading.Barrier(_EACH * len(servers))

    def run(server: Server, worker: str) -> None:
        connection = server.connect()
        for id in ids:
            line.wait(30)
            wanted = {"task_id": id, "lease": True}
            status, answer = connection.request("POST", "/v1/worker/tasks/claim", wanted, X_Worker_ID=worker)
            if status == 200:
                granted[id] += 1
                finish(connection, id, worker, answer["lease"]["token"])

    threads = [
        threading.Thread(target=run, args=(server, f"bench-{place}-{nth}"))
        for place, server in enumerate(servers)
        for nth in range(_EACH)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(granted[id] != 1 for id in ids)


@frozen
class Outcomes:
    """Of the tasks in a store: how many, of which so many never ended, and how many were completed more than once."""

    tasks: int
    lost: int
    double: int


async def outcomes_of(url: str) -> Outcomes:
    """Read them off the store and its log, once nobody uses it any more."""
    async with opened(url) as services:
        counted = await services.backend.tasks.count(SYSTEM.tenant)
        told = await services.backend.log.count(Topic(SYSTEM.tenant), ["task.completed"])
    total, completed = sum(counted.values()), counted.get(TaskState.COMPLETED, 0)
    return Outcomes(total, total - completed, told - completed)
