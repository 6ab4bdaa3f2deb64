"""Where to begin to look for what is ready, and for what is due: not in front of all that was and is no more.

The schema says what queues are. Whoever uses them looks after them: when so many tasks have left a lane, its queues
move up, and when so many moments have passed, so does the one before which nothing is due. That is done under the log's
lock, as is whatever makes a task ready, or due sooner. So no task is ever passed over, on whichever replica.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

from codetether_adapters.postgres.operation import Operation
from codetether_adapters.postgres.task_queries import DUE_FROM, waiting
from codetether_adapters.postgres.writer import Writer
from codetether_core.errors import Unavailable
from codetether_core.ids import TenantId
from codetether_core.tasks import Task, lane_of

__all__ = ["AFTER", "Queues"]

AFTER: Final = 256
"""So many leave before queues move up: a reader walks over no more of them, for each replica."""

_MOVING: Final = 15
"""So many queues of a lane, the furthest ones, move up. Where there are more, one is left that every task may join."""

_COUNTED: Final = 16_384
"""Lanes of which it is known how many tasks have left them since their queues moved up."""

_IDLE: Final = 64
_PAUSE: Final = 600.0
"""When a search meets more lanes than that in which nothing waits, their queues are given up; but not again for so many
seconds, as those that are in use have to open new ones."""

_MOVE_UP: Final = f"""
WITH present AS (
    SELECT * FROM queues WHERE tenant = %s AND lane = %s
    AND turn = (SELECT turn FROM queues WHERE tenant = %s AND lane = %s ORDER BY turn DESC LIMIT 1)
), begun AS (
    SELECT present.queue, first.*,
        row_number() OVER (ORDER BY first.rank DESC, first.created DESC, first.id DESC) AS place
    FROM present CROSS JOIN LATERAL {waiting("rank, created, id", "present", "1")} AS first
), moved AS (
    SELECT queue, rank, created, id FROM begun WHERE place <= {_MOVING}
    UNION ALL
    SELECT queue, present.rank, present.created, present.id FROM present JOIN begun USING (queue)
    WHERE place > {_MOVING}
    UNION ALL
    SELECT nextval('turns'), -9223372036854775808, -9223372036854775808, '' WHERE NOT EXISTS (SELECT FROM begun)
), turned AS (
    SELECT nextval('turns') AS turn
), left_behind AS (
    DELETE FROM queues USING present WHERE (queues.tenant, queues.lane, queues.turn, queues.queue)
        = (present.tenant, present.lane, present.turn, present.queue)
)
INSERT INTO queues SELECT %s, %s, turned.turn, moved.* FROM turned CROSS JOIN moved RETURNING turn
"""  # noqa: S608

_GIVE_UP: Final = f"""
DELETE FROM queues USING unnest(%s::text[]) AS idle (lane)
WHERE queues.tenant = %s AND queues.lane = idle.lane AND NOT EXISTS (
    SELECT FROM queues AS present CROSS JOIN LATERAL {waiting("id", "present", "1")} AS first
    WHERE (present.tenant, present.lane, present.turn) = (queues.tenant, queues.lane, queues.turn)
)
RETURNING turn
"""  # noqa: S608

_PASS: Final = f"""
WITH present AS (
    SELECT turn FROM due_from ORDER BY turn DESC LIMIT 1
), passed AS (
    DELETE FROM due_from USING present WHERE due_from.turn = present.turn
)
INSERT INTO due_from SELECT nextval('turns'), coalesce(
    (SELECT due FROM tasks WHERE due >= {DUE_FROM} ORDER BY due LIMIT 1), 9223372036854775807
) RETURNING turn
"""  # noqa: S608


class Queues:
    """Counts what leaves, and has the queues move up ``after`` so many."""

    def __init__(self, writer: Writer, after: int = AFTER) -> None:
        self._writer = writer
        self._after = after
        self._left: dict[tuple[TenantId, str], int] = {}
        self._passed = 0
        self._gave_up: float | None = None

    async def swapped(self, old: Task, new: Task | None) -> None:
        """Take note of a swap that was done, or of a task that was removed."""
        if old.ready and not (new and new.ready):
            await self._leave(old.tenant, lane_of(old.tenant, old.spec).key)
        if old.due_at is not None and old.due_at != (new and new.due_at):
            self._passed += 1
            if self._passed >= self._after:
                self._passed = 0
                await self._write(None, _PASS)

    async def met(self, tenant: TenantId, idle: Sequence[str]) -> None:
        """Take note of the lanes that a search met in which nothing waits."""
        now = asyncio.get_running_loop().time()
        if len(idle) > _IDLE and (self._gave_up is None or now - self._gave_up > _PAUSE):
            self._gave_up = now
            await self._write(tenant, _GIVE_UP, [*idle], tenant)

    async def _leave(self, tenant: TenantId, lane: str) -> None:
        count = self._left.pop((tenant, lane), 0) + 1
        if count >= self._after:
            await self._write(tenant, _MOVE_UP, *[tenant, lane] * 3)
            return
        self._left[tenant, lane] = count
        if len(self._left) > _COUNTED:
            del self._left[next(iter(self._left))]

    async def _write(self, tenant: TenantId | None, sql: str, *values: Any) -> None:
        with suppress(Unavailable):  # the caller's own write is done, and another one will come by
            await self._writer.write(Operation(tenant=tenant, sql=sql, values=values, settle=lambda row: ()))
