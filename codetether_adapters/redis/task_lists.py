"""Lists of tasks in Redis: along the indexes that know most of what is asked, and through what they do not know."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from datetime import datetime
from typing import Final

from attrs import evolve, frozen

from codetether_adapters.redis import task_documents as documents
from codetether_adapters.redis.encoding import MOMENT_BYTES, RANK_BYTES, sortable
from codetether_adapters.redis.merging import merged
from codetether_adapters.redis.reader import Reader, Row
from codetether_adapters.redis.task_documents import FIELDS, TASKS, task_of
from codetether_core.ids import TaskId, TenantId, WorkerId
from codetether_core.ports import TaskOrder, TaskQuery
from codetether_core.tasks import Task, TaskState

__all__ = ["TaskLists", "tasks_of"]

_STEP: Final = 100
_EVERYTHING: Final = 2**31


@frozen(kw_only=True)
class _Walk:
    """Along indexes, one for each state, in their order, between two bounds of members; ``exact`` says that whatever
    is in them is asked for.
    """

    indexes: Sequence[str]
    order: TaskOrder
    after: str | bytes = ""
    until: str = ""
    exact: bool

    @classmethod
    def of(cls, tenant: TenantId, query: TaskQuery) -> _Walk:
        """The way that has the fewest tasks."""
        order, unknown = query.order, query
        states = sorted(TaskState if query.states is None else query.states)
        if query.context is not None:
            indexes = [documents.context_index(tenant, state, order, query.context) for state in states]
            unknown = evolve(unknown, context=None)
        elif query.created_by is not None and order is TaskOrder.CHANGED:
            indexes = [documents.creator_index(tenant, state, query.created_by) for state in states]
            unknown = evolve(unknown, created_by=None)
        elif query.codebase is not None and order is not TaskOrder.CHANGED:
            indexes = [documents.list_index(tenant, state, order, codebase=query.codebase) for state in states]
            unknown = evolve(unknown, codebase=None)
        else:
            indexes = [documents.list_index(tenant, state, order) for state in states]
        until = ""
        if query.since is not None and order is TaskOrder.CHANGED:
            until, unknown = sortable(query.since), evolve(unknown, since=None)
        exact = {unknown.codebase, unknown.context, unknown.created_by, unknown.since} == {None}
        after = "" if query.beyond is None else documents.beyond_member(*query.beyond)
        return cls(indexes=indexes, order=order, after=after, until=until, exact=exact)

    @property
    def backwards(self) -> bool:
        """Whether the greatest members come first."""
        return self.order is not TaskOrder.PRIORITY

    @property
    def rank(self) -> int:
        """How long what comes before the id is."""
        return RANK_BYTES if self.order is TaskOrder.PRIORITY else MOMENT_BYTES


class TaskLists:
    """Reads lists of tasks."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def page(self, tenant: TenantId, query: TaskQuery) -> Sequence[Task]:
        """The tasks of a page; a worker has had few, so all of those are looked at."""
        if query.worker is not None:
            return _sorted(await self._of_worker(tenant, query.worker, query), query)
        walk, shards = _Walk.of(tenant, query), self._shards(tenant, query)
        if walk.exact:
            _, rows = await self._stretch(walk, shards, offset=query.after, limit=query.limit)
            return tasks_of(rows)
        found: list[Task] = []
        async for task in self._through(walk, shards, query):
            if len(found) == query.after + query.limit:
                break
            found.append(task)
        return found[query.after :]

    async def total(self, tenant: TenantId, query: TaskQuery) -> int:
        """How many match: by the sizes of the indexes, where these know all that is asked."""
        if query.worker is not None:
            return len(await self._of_worker(tenant, query.worker, query))
        query = evolve(query, beyond=None)
        walk, shards = _Walk.of(tenant, query), self._shards(tenant, query)
        if walk.exact:
            total, _ = await self._stretch(walk, shards, offset=0, limit=0)
            return total
        return len([task async for task in self._through(walk, shards, query)])

    async def whole(self, index: str, shards: Iterable[int]) -> Sequence[Task]:
        """Everything in an index that never has much in it, best first."""
        walk = _Walk(indexes=[index], order=TaskOrder.PRIORITY, exact=True)
        _, rows = await self._stretch(walk, shards, offset=0, limit=_EVERYTHING)
        return tasks_of(rows)

    async def _of_worker(self, tenant: TenantId, worker: WorkerId, query: TaskQuery) -> Sequence[Task]:
        found = await self.whole(documents.worker_index(tenant, worker), self._shards(tenant, query))
        return [*filter(query.matches, found)]

    async def _through(self, walk: _Walk, shards: Iterable[int], query: TaskQuery) -> AsyncIterator[Task]:
        """Those on the way that match."""
        while True:
            _, rows = await self._stretch(walk, shards, offset=0, limit=_STEP)
            for task in filter(query.matches, tasks_of(rows)):
                yield task
            if len(rows) < _STEP:
                return
            walk = evolve(walk, after=rows[-1][0])

    async def _stretch(
        self, walk: _Walk, shards: Iterable[int], *, offset: int, limit: int
    ) -> tuple[int, Sequence[Row]]:
        async def page(shard: int, offset: int, limit: int) -> tuple[int, list[Row]]:
            return await self._reader.page(
                shard,
                walk.indexes,
                TASKS,
                FIELDS,
                offset=offset,
                limit=limit,
                rank=walk.rank,
                backwards=walk.backwards,
                after=walk.after,
                until=walk.until,
            )

        return await merged(shards, page, offset=offset, limit=limit, backwards=walk.backwards)

    def _shards(self, tenant: TenantId, query: TaskQuery) -> Sequence[int]:
        layout = self._reader.layout
        return layout.every if query.codebase is None else (layout.of_scope(tenant, query.codebase),)


def tasks_of(rows: Iterable[Row]) -> Sequence[Task]:
    """The tasks of rows of a member and ``FIELDS``, those that are still there."""
    found = (task_of(None, *fields) for _, *fields in rows)
    return [task for task in found if task is not None]


def _sorted(tasks: Sequence[Task], query: TaskQuery) -> Sequence[Task]:
    """A page of tasks that are the best first."""
    if query.order is TaskOrder.NEWEST:
        tasks = _down(tasks, lambda task: (task.created_at, task.id), query.beyond)
    elif query.order is TaskOrder.CHANGED:
        tasks = _down(tasks, lambda task: (task.since, task.id), query.beyond)
    return tasks[query.after : query.after + query.limit]


def _down(
    tasks: Sequence[Task], key: Callable[[Task], tuple[datetime, TaskId]], beyond: tuple[datetime, TaskId] | None
) -> Sequence[Task]:
    found = [task for task in tasks if beyond is None or key(task) < beyond]
    return sorted(found, key=key, reverse=True)
