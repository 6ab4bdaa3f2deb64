"""No question that is asked all the time looks at more rows than it gives back."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve

from codetether_adapters.sqlite import task_queries as queries
from codetether_adapters.sqlite.connection import connect
from codetether_adapters.sqlite.schema import bring_up_to_date
from codetether_core.ids import CodebaseId, ContextId, TaskId, WorkerId
from codetether_core.ports import TaskOrder, TaskQuery
from codetether_core.tasks import TaskState
from contracts.ports.samples import CODEBASE, NOW, TENANT


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    path = tmp_path / "store.db"
    connection = connect(path)
    bring_up_to_date(connection, path)
    yield connection
    connection.close()


def plan(connection: sqlite3.Connection, sql: str) -> list[str]:
    values = [""] * (3 if "?3" in sql else sql.count("?"))
    return [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", values)]


def assert_walks(connection: sqlite3.Connection, sql: str, index: str, *, may_sort: bool = False) -> None:
    steps = plan(connection, sql)
    assert any(index in step for step in steps), steps
    for step in steps:
        assert not step.startswith("SCAN tasks") and not step.startswith("SCAN events"), steps
        assert may_sort or "TEMP B-TREE" not in step, steps


@pytest.mark.parametrize(
    ("sql", "index"),
    [
        (queries.GET, "sqlite_autoindex_tasks"),
        (queries.FENCE, "sqlite_autoindex_tasks"),
        (queries.LANES, "tasks_ready"),
        (queries.READY, "tasks_ready"),
        (queries.OVERDUE, "tasks_due"),
        (queries.NEXT_DUE, "COVERING INDEX tasks_due"),
        (queries.HELD, "tasks_of_worker"),
        (queries.COUNT, "COVERING INDEX tasks_"),
    ],
)
def test_tasks_are_found_by_index(connection: sqlite3.Connection, sql: str, index: str) -> None:
    """``ready`` and ``lanes`` cost the same with a thousand and with a hundred thousand tasks."""
    assert_walks(connection, sql, index)


BEST, NEWEST, CHANGED = TaskOrder
CONTEXT = ContextId("ctx")


@pytest.mark.parametrize(
    "states", [None, frozenset({TaskState.PENDING}), frozenset({TaskState.FAILED, TaskState.CANCELLED})]
)
@pytest.mark.parametrize(
    ("query", "index"),
    [
        (TaskQuery(order=BEST), "tasks_best"),
        (TaskQuery(order=NEWEST), "tasks_newest"),
        (TaskQuery(order=CHANGED), "tasks_changed"),
        (TaskQuery(order=BEST, codebase=CODEBASE), "tasks_of_codebase_best"),
        (TaskQuery(order=NEWEST, codebase=CODEBASE), "tasks_of_codebase_newest"),
        (TaskQuery(order=BEST, context=CONTEXT), "tasks_of_context_best"),
        (TaskQuery(order=NEWEST, context=CONTEXT), "tasks_of_context_newest"),
        (TaskQuery(order=CHANGED, context=CONTEXT), "tasks_of_context_changed"),
        (TaskQuery(order=CHANGED, context=CONTEXT, created_by="ann"), "tasks_of_context_changed"),
        (TaskQuery(order=CHANGED, created_by="ann"), "tasks_of_creator_changed"),
    ],
)
def test_a_list_walks_one_index_for_each_state(
    connection: sqlite3.Connection, query: TaskQuery, index: str, states: frozenset[TaskState] | None
) -> None:
    """And merges them, so that a page costs its own length; counted it is by the same one."""
    query = evolve(query, states=states)
    sql, _ = queries.listing(TENANT, query)
    assert_walks(connection, sql, f"INDEX {index} (")
    sql, _ = queries.counting(TENANT, query)
    assert_walks(connection, sql, f"INDEX {index} (")


@pytest.mark.parametrize("narrowed", [{}, {"context": CONTEXT}, {"created_by": "ann"}])
def test_a_place_in_a_list_is_found_by_the_index(connection: sqlite3.Connection, narrowed: dict[str, Any]) -> None:
    """As is the moment at which it ends."""
    query = TaskQuery(order=CHANGED, since=NOW, beyond=(NOW, TaskId("t")), **narrowed)
    sql, _ = queries.listing(TENANT, query)
    assert_walks(connection, sql, "state=? AND since>? AND (since,id)<(?,?))")


@pytest.mark.parametrize("narrowed", [{}, {"context": CONTEXT}, {"codebase": CODEBASE}])
def test_so_is_one_in_the_order_of_creation(connection: sqlite3.Connection, narrowed: dict[str, Any]) -> None:
    """Whoever goes through all tasks does not begin anew with each page."""
    sql, _ = queries.listing(TENANT, TaskQuery(order=NEWEST, beyond=(NOW, TaskId("t")), **narrowed))
    assert_walks(connection, sql, "state=? AND (created,id)<(?,?))")


@pytest.mark.parametrize("codebase", [None, CODEBASE])
def test_a_workers_list_looks_at_its_own_tasks(connection: sqlite3.Connection, codebase: CodebaseId | None) -> None:
    """Which are few enough to sort."""
    sql, _ = queries.listing(TENANT, TaskQuery(worker=WorkerId("w"), codebase=codebase))
    assert_walks(connection, sql, "tasks_of_worker", may_sort=True)


@pytest.mark.parametrize(
    ("where", "index"),
    [
        ("tenant = ?", "events_of_tenant"),
        ("tenant = ? AND scope = ?", "events_of_scope"),
        ("tenant = ? AND scope = ? AND subject = ?", "events_of_subject"),
        ("tenant = ? AND scope = ? AND subject = ? AND kind IN (?, ?)", "events_of_subject"),
    ],
)
def test_the_log_is_read_by_topic(connection: sqlite3.Connection, where: str, index: str) -> None:
    """Forwards, backwards, and from a cursor, in the order of the index."""
    for rest in ("position > ? AND position <= ? ORDER BY position", "TRUE ORDER BY position DESC LIMIT ?"):
        assert_walks(connection, f"SELECT * FROM events WHERE {where} AND {rest}", index)


def test_a_tasks_output_is_counted_in_the_index_alone(connection: sqlite3.Connection) -> None:
    """Deployed clients poll by count."""
    where = "tenant = ? AND scope = ? AND subject = ? AND kind IN (?, ?)"
    assert_walks(connection, f"SELECT count(*) FROM events WHERE {where}", "COVERING INDEX events_of_subject")


def test_the_oldest_records_are_found_from_the_front(connection: sqlite3.Connection) -> None:
    """A trim looks at no more records than it may forget: it walks the table's own order and stops."""
    steps = plan(connection, "SELECT position, at FROM events ORDER BY position LIMIT ?")
    assert steps == ["SCAN events"]
    assert plan(connection, "DELETE FROM events WHERE position <= ?") == [
        "SEARCH events USING INTEGER PRIMARY KEY (rowid<?)"
    ]
