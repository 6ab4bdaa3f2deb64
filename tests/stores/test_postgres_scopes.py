"""One commit of PostgreSQL's for several tenants: each operation works on its tenant's rows, whatever is beside it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

import pytest
from attrs import evolve

from codetether_adapters.postgres import open_backend
from codetether_core.errors import AlreadyExists
from codetether_core.events import AUDIT, Event, Topic
from codetether_core.ids import TenantId
from codetether_core.ports import TaskQuery
from contracts.ports.samples import NOW, OTHER_TENANT, TENANT, new_task, note, output
from tests.servers.postgres import bound, new_store, overseeing

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("order", [(TENANT, OTHER_TENANT), (OTHER_TENANT, TENANT)])
async def test_a_commit_for_several_tenants(order: Sequence[TenantId], kept: bool) -> None:
    """Each one's rows, events and records are its own, in the order in which they were given; also what is of both
    or of all. What one has in the way of the other is refused, not shown.
    """
    first, second = order
    url = new_store()
    open_store = partial(open_backend, bound(url), keeper=url) if kept else partial(open_backend, url)
    tasks = {tenant: [new_task(f"{tenant}{n}", tenant=tenant) for n in range(3)] for tenant in order}
    mixed = [note(Topic(tenant, "mixed"), f"{n}") for n in range(3) for tenant in order]
    noted = [Event(Topic(tenant, AUDIT), "tried", NOW, {"n": n}) for n in range(2) for tenant in order]
    async with open_store() as backend, open_store() as replica:
        start = await backend.log.head()
        await asyncio.gather(
            *(
                backend.tasks.add(task, output(task, "a", "b"))
                for pair in zip(*tasks.values(), strict=True)
                for task in pair
            ),
            backend.log.append([*mixed, *noted]),
            backend.log.trim(start),
        )
        with overseeing(url) as connection:
            (commits,) = connection.execute(
                "SELECT count(*) FROM (SELECT xmin FROM codetether.tasks UNION SELECT xmin FROM"
                " codetether.events UNION SELECT xmin FROM codetether.audit) AS written"
            ).fetchall()
        assert commits == (1,)
        with pytest.raises(AlreadyExists):
            await backend.tasks.add(evolve(tasks[first][0], tenant=second))
        for tenant in order:
            assert [*await replica.tasks.list(tenant, TaskQuery())] == tasks[tenant]
            for each in (backend, replica):
                page = await each.log.read(Topic(tenant), start)
                assert {record.topic.tenant for record in page.records} == {tenant}
                for task in tasks[tenant]:
                    told = [record for record in page.records if record.topic.subject == task.id]
                    assert [(record.number, record.body) for record in told] == [
                        (1, b'{"text":"a"}'),
                        (2, b'{"text":"b"}'),
                    ]
                mixed_in = [record for record in page.records if record.topic.scope == "mixed"]
                assert [(record.number, record.body) for record in mixed_in] == [
                    (n + 1, b'{"text":"%d"}' % n) for n in range(3)
                ]
            (chain,) = await replica.audit.chains(tenant)
            links = await replica.audit.read(tenant, chain.name, limit=10)
            assert [link.number for link in links] == [1, 2]
            assert [b'"n":%d' % n in link.body for n, link in enumerate(links)] == [True, True]
        with overseeing(url) as connection:
            positions = connection.execute("SELECT position FROM codetether.events ORDER BY 1").fetchall()
        assert [position for (position,) in positions] == [*range(1, 19)]
