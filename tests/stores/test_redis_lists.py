"""A page of a list reads as many tasks as it gives back, where there is an index for it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from codetether_adapters.redis import open_backend
from codetether_adapters.redis.reader import Reader, Row
from codetether_core.ids import CodebaseId, ContextId, TaskId
from codetether_core.ports import TaskOrder, TaskQuery
from codetether_core.tasks import TaskState
from contracts.ports.samples import MICROSECOND, NOW, TENANT, new_task
from tests.servers.valkey import fresh, own_server

pytestmark = pytest.mark.anyio

BEST, NEWEST, CHANGED = TaskOrder
CONTEXT = ContextId("ctx3")
MIDDLE = NOW + 150 * MICROSECOND


@pytest.mark.parametrize(
    "query",
    [
        TaskQuery(order=CHANGED, limit=5),
        TaskQuery(order=CHANGED, context=CONTEXT, limit=5),
        TaskQuery(order=CHANGED, created_by="by3", limit=5),
        TaskQuery(order=CHANGED, created_by="by3", since=NOW, beyond=(MIDDLE, TaskId("t")), limit=5),
        TaskQuery(order=CHANGED, context=CONTEXT, states=frozenset({TaskState.PENDING}), limit=5),
        TaskQuery(order=BEST, context=CONTEXT, limit=5),
        TaskQuery(order=NEWEST, context=CONTEXT, limit=5),
        TaskQuery(order=NEWEST, codebase=CodebaseId("cb"), limit=5),
    ],
)
async def test_a_page_costs_its_own_length(query: TaskQuery, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted, it costs nothing."""
    read: list[int] = []
    page = Reader.page

    async def counted(self: Reader, *asked: Any, **options: Any) -> tuple[int, list[Row]]:
        total, rows = await page(self, *asked, **options)
        read.append(len(rows))
        return total, rows

    async with open_backend(fresh(own_server().url)) as backend:
        tasks = [
            new_task(f"t{n:03}", at=NOW + n * MICROSECOND, context=ContextId(f"ctx{n % 10}"), by=f"by{n % 10}")
            for n in range(300)
        ]
        await asyncio.gather(*map(backend.tasks.add, tasks))
        monkeypatch.setattr(Reader, "page", counted)
        assert len(await backend.tasks.list(TENANT, query)) == sum(read) == 5
        read.clear()
        assert await backend.tasks.total(TENANT, query) in (30, 300)
        assert sum(read) == 0
