"""Tasks in Redis."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Final

from codetether_adapters.redis import task_documents as documents
from codetether_adapters.redis.approvals import approval_document, approvals_of
from codetether_adapters.redis.encoding import MOMENT_BYTES, RANK_BYTES, decoded, sortable, unsorted
from codetether_adapters.redis.merging import merged
from codetether_adapters.redis.reader import Reader, Row
from codetether_adapters.redis.signposts import Signposts
from codetether_adapters.redis.task_documents import FIELDS, TASKS, task_of
from codetether_adapters.redis.task_lists import TaskLists, tasks_of
from codetether_adapters.redis.webhooks import webhooks_of
from codetether_adapters.redis.writer import CONFLICT, EXISTS, Writer
from codetether_adapters.tail import encoded, erasing
from codetether_core.errors import AlreadyExists, NotFound, VersionConflict
from codetether_core.events import READY, Event, Topic
from codetether_core.ids import TaskId, TenantId, WorkerId
from codetether_core.ports import ApprovalChange, TaskOrder, TaskQuery
from codetether_core.tasks import Lane, Task, TaskState

__all__ = ["RedisTasks"]

_LANE_KEY_BYTES: Final = 32
_LAST: Final = "\xff"
"""Comes after everything that a member may go on with."""


class RedisTasks:
    """All tasks of one store (a ``TaskStore``)."""

    def __init__(self, writer: Writer, reader: Reader, signposts: Signposts) -> None:
        self._writer = writer
        self._reader = reader
        self._signposts = signposts
        self._lists = TaskLists(reader)

    async def add(self, task: Task, events: Sequence[Event] = ()) -> None:
        """Put it where its codebase is; ids are unique over all tenants."""
        entries, added = encoded(events), documents.added(task)
        home = await self._signposts.put_up(task)
        outcome = await self._writer.write(home, [added], entries, wake=_wake(task))
        if outcome.status == EXISTS:
            raise AlreadyExists("task", task.id)

    async def get(self, tenant: TenantId, id: TaskId) -> Task:
        """Where its id says, or where a signpost there says."""
        layout = self._reader.layout
        shard = layout.of_id(id)
        fields = await self._reader.fields(shard, f"{TASKS}{id}", *FIELDS)
        if fields[0] is None and layout.shards > 1:
            home = await self._signposts.follow(id)
            if home != shard:
                fields = await self._reader.fields(home, f"{TASKS}{id}", *FIELDS)
        task = task_of(tenant, *fields)
        if task is None:
            raise NotFound("task", id)
        return task

    async def replace(
        self,
        old: Task,
        new: Task,
        events: Sequence[Event] = (),
        *,
        approvals: Sequence[ApprovalChange] = (),
        op: str = "",
    ) -> None:
        """Swap it, and the approvals with it."""
        entries = encoded(events)
        written = [documents.swapped(old, new), *map(approval_document, approvals)]
        home = self._signposts.home(old)
        outcome = await self._writer.write(home, written, entries, wake=_wake(new), token=op)
        if outcome.status in (CONFLICT, EXISTS):
            what = "approval" if outcome.which else "task"
            id = approvals[outcome.which - 1].new.id if outcome.which else old.id
            raise VersionConflict(f"The {what} was changed meanwhile", id=id)

    async def remove(self, old: Task, events: Sequence[Event] = ()) -> None:
        """Take it away with what belongs to it, all of which is in its shard.

        Of a long log that is to be erased most goes before, while the task is as it was: cut off, it is asked again.
        """
        entries, home = encoded(events), self._signposts.home(old)
        (version,) = await self._reader.fields(home, f"{TASKS}{old.id}", "version")
        if version == documents.removed(old).expected.encode():
            for topic in erasing(entries)[0]:
                await self._reader.thin(topic)
        swept = [approvals_of(old.tenant, old.id), webhooks_of(old.tenant, old.spec.codebase, old.id)]
        outcome = await self._writer.write(home, [documents.removed(old)], entries, sweeps=swept)
        if outcome.status == CONFLICT:
            raise VersionConflict("The task was changed meanwhile", id=old.id)

    async def lanes(self, tenant: TenantId, *, after: str = "", limit: int) -> Sequence[Lane]:
        """The head of the index of lanes, from there on."""

        async def page(shard: int, offset: int, limit: int) -> tuple[int, list[Row]]:
            begin = f"{after}{_LAST}" if after else ""
            index = documents.lanes_index(tenant)
            return await self._reader.page(shard, [index], "", (), offset=offset, limit=limit, after=begin)

        _, rows = await merged(self._reader.layout.every, page, offset=0, limit=limit)
        return [_lane(member[_LANE_KEY_BYTES:]) for (member,) in rows]

    async def ready(self, lanes: Collection[Lane], limit: int) -> Sequence[Task]:
        """The head of each lane's index."""

        async def head(lane: Lane) -> list[Row]:
            shard = self._reader.layout.of_scope(lane.tenant, lane.codebase)
            index = documents.ready_index(lane)
            _, rows = await self._reader.page(shard, [index], TASKS, FIELDS, limit=limit, rank=RANK_BYTES)
            return rows

        return [task for rows in await asyncio.gather(*map(head, lanes)) for task in tasks_of(rows)]

    async def overdue(self, now: datetime, limit: int) -> Sequence[Task]:
        """The head of the index of what is due."""

        async def page(shard: int, offset: int, limit: int) -> tuple[int, list[Row]]:
            until = f"{sortable(now)}{_LAST}"
            return await self._reader.page(
                shard, [documents.DUE], TASKS, FIELDS, offset=offset, limit=limit, rank=MOMENT_BYTES, until=until
            )

        _, rows = await merged(self._reader.layout.every, page, offset=0, limit=limit)
        return tasks_of(rows)

    async def next_due(self) -> datetime | None:
        """The first of them."""

        async def page(shard: int, offset: int, limit: int) -> tuple[int, list[Row]]:
            return await self._reader.page(shard, [documents.DUE], "", (), offset=offset, limit=limit)

        _, rows = await merged(self._reader.layout.every, page, offset=0, limit=1)
        return unsorted(rows[0][0][:MOMENT_BYTES]) if rows else None

    async def list(self, tenant: TenantId, query: TaskQuery) -> Sequence[Task]:
        """By the index of each state that is asked for."""
        return await self._lists.page(tenant, query)

    async def total(self, tenant: TenantId, query: TaskQuery) -> int:
        """By the same indexes."""
        return await self._lists.total(tenant, query)

    async def count(self, tenant: TenantId) -> dict[TaskState, int]:
        """By the sizes of the indexes."""
        indexes = [documents.list_index(tenant, state, TaskOrder.NEWEST) for state in TaskState]
        every = self._reader.layout.every
        sizes = await asyncio.gather(*(self._reader.sizes(shard, indexes) for shard in every))
        return {
            state: total for state, total in zip(TaskState, map(sum, zip(*sizes, strict=True)), strict=True) if total
        }

    async def held(self, tenant: TenantId, worker: WorkerId) -> Sequence[Task]:
        """By the index of holders."""
        return await self._lists.whole(documents.held_index(tenant, worker), self._reader.layout.every)


def _wake(task: Task) -> Sequence[Topic]:
    return [Topic(task.tenant, READY)] if task.ready else []


@lru_cache(maxsize=16_384)
def _lane(body: bytes) -> Lane:
    return decoded(Lane, body)
