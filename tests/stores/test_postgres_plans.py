"""No question that is asked all the time looks at more rows than it gives back, however many there are.

Row security is in force: what is asked for a tenant is asked by a session that sees its rows only, and each condition
still has to be one that an index may decide.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from attrs import frozen

from codetether_adapters.postgres import log_queries
from codetether_adapters.postgres import task_queries as queries
from codetether_adapters.postgres.connection import SESSION
from codetether_adapters.postgres.encoding import moment
from codetether_core.events import TASK_ERASED, Topic
from codetether_core.ids import CodebaseId, ContextId, TaskId, WorkerId
from codetether_core.ports import TaskOrder, TaskQuery
from codetether_core.tasks import TaskState
from contracts.ports.samples import CODEBASE, TENANT
from tests.servers.postgres import bound, new_store, overseeing

TASKS = 20_000
OTHERS = 1_000
"""Of everything that another tenant has; in front of the own, if anything is."""

LANES = 20
PASSED = 300
"""Of the tasks of each queue, which has moved up past them; half of what is due is passed, too."""

FEW = 60
"""Rows that a question may look at which gives back ten."""

FILL = f"""
INSERT INTO tasks (
    id, tenant, lane, codebase, priority, created, version, op, fence, state, ready, queue, worker, due, spec, body,
    context, created_by, since
)
SELECT 't' || n, 'default', 'lane' || n % {LANES}, 'cb', n % 3, n, 1, '', CASE WHEN n % 10 = 0 THEN 'f' ELSE '' END,
    CASE WHEN n % 10 = 0 THEN 'running' WHEN n % 10 = 1 THEN 'failed' ELSE 'pending' END, n % 10 > 1, NULL,
    CASE WHEN n % 10 = 0 THEN 'w' || n % 1000 END, CASE WHEN n % 10 < 2 THEN n END, '{{}}', '{{}}',
    'ctx' || n % 200, 'by' || n % 20, n * 7919 % {TASKS}
FROM generate_series(1, {TASKS}) AS n;
UPDATE queues SET (rank, created, id) = (
    SELECT rank, created, id FROM tasks WHERE ready AND queue = queues.queue ORDER BY 1, 2, 3 OFFSET {PASSED} LIMIT 1
) WHERE tenant = 'default';
INSERT INTO due_from VALUES (nextval('turns'), {TASKS // 2});
INSERT INTO lanes SELECT 'default', 'lane' || n, '{{}}' FROM generate_series(0, {LANES - 1}) AS n;
INSERT INTO tasks (
    id, tenant, lane, codebase, priority, created, version, op, fence, state, ready, queue, worker, due, spec, body,
    context, created_by, since
)
SELECT 'o' || n, 'other', 'lane' || n % {LANES}, 'cb', 3, -n, 1, '', '', 'pending', TRUE, NULL, NULL, NULL,
    '{{}}', '{{}}', 'ctx7', 'by7', {TASKS} + n
FROM generate_series(1, {OTHERS}) AS n;
INSERT INTO events
SELECT n, CASE WHEN n % {TASKS // OTHERS} = 0 THEN 'other' ELSE 'default' END, 'cb', 't' || n % 100, n,
    CASE WHEN n % 2 = 0 THEN 'a' ELSE 'b' END, n, '{{}}'
FROM generate_series(1, {TASKS}) AS n;
"""


@frozen
class Sessions:
    """Of the two logins that a store may have; or it has that of the keeper for everything."""

    keeper: psycopg.Connection
    bound: psycopg.Connection


@contextmanager
def filled() -> Iterator[Sessions]:
    url = new_store()
    with overseeing(url) as keeper, psycopg.connect(bound(url), autocommit=True) as other:
        keeper.execute(SESSION)
        keeper.execute(FILL.encode())
        keeper.execute("CALL admit(%s)", [other.info.user])
        other.execute(SESSION)
        for session in (keeper, other):
            assert session.execute("SELECT row_security_active('tasks')").fetchone() == (True,)
        yield Sessions(keeper, other)


@pytest.fixture(scope="module")
def fresh() -> Iterator[Sessions]:
    """A full store, whose tables the server has not yet looked at: for all it knows they are small."""
    with filled() as sessions:
        yield sessions


@pytest.fixture(scope="module")
def known() -> Iterator[Sessions]:
    """A full store, as the server soon knows it."""
    with filled() as sessions:
        sessions.keeper.execute("ANALYZE")
        yield sessions


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def visited(sessions: Sessions, tenant: str | None, sql: str, values: Sequence[Any]) -> int:
    """How many rows of tables and indexes a question really looked at, those it threw away included, if it is asked for
    this tenant or about all of them; by whichever login that may is worse off.
    """
    asking = [sessions.keeper] if tenant is None else [sessions.keeper, sessions.bound]
    return max(_visited(connection, tenant, sql, values) for connection in asking)


def _visited(connection: psycopg.Connection, tenant: str | None, sql: str, values: Sequence[Any]) -> int:
    everybody = "on" if tenant is None else "off"
    connection.execute("SELECT set_config('codetether.tenant', %s, FALSE)", [tenant or ""])
    connection.execute("SELECT set_config('codetether.everybody', %s, FALSE)", [everybody])
    explained = connection.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}".encode(), values).fetchone()
    assert explained is not None
    (plan,) = explained[0] if not isinstance(explained[0], str) else json.loads(explained[0])
    total = 0
    for node in nodes(plan["Plan"]):
        if "Relation Name" in node or "Index Name" in node:
            thrown_away = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
            total += (node["Actual Rows"] + thrown_away) * node["Actual Loops"]
    return int(total)


HOT: list[tuple[str | None, str, list[Any]]] = [
    (TENANT, queries.GET, ["t1", TENANT]),
    (TENANT, queries.LANES, ["", TENANT, TENANT, 10, TENANT]),
    (TENANT, queries.LANES, ["lane15", TENANT, TENANT, 10, TENANT]),
    (TENANT, queries.READY, [[TENANT], ["lane2"], 10, 10]),
    (TENANT, queries.READY, [[TENANT] * 5, [f"lane{n}" for n in range(2, 7)], 2, 2]),
    (None, queries.OVERDUE, [10**15, 10]),
    (None, queries.NEXT_DUE, []),
    (TENANT, queries.HELD, [TENANT, "w10"] * 2),
    (None, log_queries.NEWS, [TASKS - 10, 10]),
    (None, log_queries.STATE, [TENANT, CODEBASE, "t1", TASKS, [TASK_ERASED], TASKS]),
]


@pytest.mark.parametrize(("tenant", "sql", "values"), HOT)
def test_what_is_asked_all_the_time_walks_an_index(
    known: Sessions, tenant: str | None, sql: str, values: list[Any]
) -> None:
    """``ready`` and ``lanes`` cost the same with a thousand and with a hundred thousand tasks."""
    assert visited(known, tenant, sql, values) <= FEW


@pytest.mark.parametrize(("tenant", "sql", "values"), HOT)
def test_it_does_so_from_the_beginning(fresh: Sessions, tenant: str | None, sql: str, values: list[Any]) -> None:
    """Also while the server knows nothing of the tables."""
    assert visited(fresh, tenant, sql, values) <= FEW


ASKED: list[dict[str, Any]] = [
    *({"order": order, "context": ContextId(name)} for order in TaskOrder for name in ("ctx7", "none")),
    *({"order": TaskOrder.CHANGED, "created_by": name} for name in ("by7", "none")),
    {"order": TaskOrder.CHANGED, "context": ContextId("ctx7"), "created_by": "by7"},
    {"order": TaskOrder.CHANGED},
]

WALKED: list[dict[str, Any]] = [
    {"order": TaskOrder.NEWEST, "codebase": codebase, "beyond": (moment(TASKS // 2), TaskId("t"))}
    for codebase in (None, CODEBASE)
]
"""As whoever goes through all of them."""

PLACED: dict[str, Any] = {
    "since": moment(TASKS // 4),
    "beyond": (moment(TASKS // 2), TaskId("t")),
}
"""In the middle."""


@pytest.mark.parametrize(
    "query",
    [
        TaskQuery(codebase=codebase, states=states, order=order, limit=10)
        for codebase in (None, CODEBASE, CodebaseId("none"))
        for states in (None, frozenset({TaskState.PENDING}), frozenset({TaskState.FAILED, TaskState.RUNNING}))
        for order in (TaskOrder.PRIORITY, TaskOrder.NEWEST)
    ]
    + [TaskQuery(worker=WorkerId("w10"), limit=10), TaskQuery(worker=WorkerId("w10"), codebase=CODEBASE, limit=10)]
    + [
        TaskQuery(states=states, limit=10, **asked)
        for states in (None, frozenset({TaskState.PENDING}), frozenset({TaskState.FAILED, TaskState.RUNNING}))
        for asked in (*WALKED, *ASKED, *({**each, **PLACED} for each in ASKED if each["order"] is TaskOrder.CHANGED))
    ],
)
def test_a_page_of_a_list_costs_its_own_length(known: Sessions, query: TaskQuery) -> None:
    """A walk for each state, merged; a worker's own tasks are few enough to sort."""
    sql, values = queries.listing(TENANT, query)
    assert visited(known, TENANT, sql, values) <= FEW


@pytest.mark.parametrize("topic", [Topic(TENANT), Topic(TENANT, "cb"), Topic.task(TENANT, CODEBASE, TaskId("t7"))])
def test_the_log_is_read_by_topic(known: Sessions, topic: Topic) -> None:
    """Forwards, backwards, from a cursor and by kind, in the order of the index."""
    for kinds in (None, ["b"]):
        sql, values = log_queries.forwards(topic, kinds, 100, TASKS, 10, 10_000)
        assert visited(known, TENANT, sql, values) <= FEW
    sql, values = log_queries.backwards(topic, ["b"], 0, TASKS - 100, None, 10, 10_000)
    assert visited(known, TENANT, sql, values) <= FEW
    sql, values = log_queries.slicing(topic, ["b"], 5, 10)
    assert visited(known, TENANT, sql, values) <= FEW
