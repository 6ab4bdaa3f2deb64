"""Tasks that wait, and tasks that were claimed, by the hundred thousand, in little time.

They are what the services would have written, but for the events about them, at which nobody looks who claims.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from codetether_adapters.postgres.connection import SESSION
from codetether_adapters.postgres.encoding import document
from codetether_adapters.postgres.task_rows import COLUMNS, TaskRow
from codetether_core.access import SYSTEM
from codetether_core.ids import TaskId, WorkerId, new_id, room_of
from codetether_core.ports import Backend
from codetether_core.tasks import GLOBAL, LeaseTerms, Task, TaskSpec, claim, lane_of
from tests.servers.postgres import overseeing

__all__ = ["LANE", "add_waiting", "claim_waiting", "copy_waiting"]

_SPEC: Final = TaskSpec(codebase=GLOBAL, title="bench", prompt="measure this", agent_type="echo")
_SINCE: Final = datetime.now(UTC)
_AT_ONCE: Final = 256
_TERMS: Final = LeaseTerms()

LANE: Final = lane_of(SYSTEM.tenant, _SPEC)
"""The one that they wait in."""


async def add_waiting(backend: Backend, numbers: range) -> None:
    """Through the store's own port."""
    tasks = _waiting(numbers)

    async def add() -> None:
        for task in tasks:
            await backend.tasks.add(task)

    await asyncio.gather(*(add() for _ in range(_AT_ONCE)))


def copy_waiting(url: str, numbers: range) -> None:
    """The same rows into PostgreSQL at once, and its statistics, as they would be after a while."""
    with overseeing(url) as connection:
        connection.execute(SESSION)
        connection.execute("SET statement_timeout TO 0")
        connection.execute("INSERT INTO lanes VALUES (%s, %s, %s)", [LANE.tenant, LANE.key, document(LANE)])
        # Nothing is copied straight into a table with row security.
        connection.execute(f"CREATE TEMP TABLE copied AS SELECT {COLUMNS} FROM tasks WITH NO DATA".encode())
        with connection.cursor() as cursor, cursor.copy(f"COPY copied ({COLUMNS}) FROM STDIN") as copy:
            for task in _waiting(numbers):
                copy.write_row(TaskRow.of(task).added()[:-1])
        connection.execute(f"INSERT INTO tasks ({COLUMNS}) SELECT {COLUMNS} FROM copied".encode())
        connection.execute("DROP TABLE copied")
        connection.execute("VACUUM (ANALYZE)")
        connection.execute("CHECKPOINT")


async def claim_waiting(backend: Backend, count: int) -> None:
    """So many, best first."""
    while count:
        found = await backend.tasks.ready([LANE], min(count, _AT_ONCE))
        await asyncio.gather(*(backend.tasks.replace(task, _claimed(task)) for task in found))
        count -= len(found)


def _waiting(numbers: Iterable[int]) -> Iterator[Task]:
    room = room_of(SYSTEM.tenant, GLOBAL)
    for number in numbers:
        at = _SINCE + timedelta(microseconds=number)
        id = TaskId(new_id("tsk", at, number.to_bytes(16), room=room))
        yield Task.new(id, SYSTEM.tenant, _SPEC, created_by=SYSTEM.name, now=at)


def _claimed(task: Task) -> Task:
    return claim(
        task, worker=WorkerId("bulk"), principal=SYSTEM.name, now=datetime.now(UTC), terms=_TERMS, nonce=task.id
    )
