"""Questions about tasks, as SQL that walks an index and never scans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from codetether_adapters.sqlite.encoding import microseconds
from codetether_adapters.sqlite.reader import Row
from codetether_core.ids import TenantId
from codetether_core.ports import TaskOrder, TaskQuery
from codetether_core.tasks import TaskState

__all__ = ["COUNT", "FENCE", "GET", "HELD", "LANES", "NEXT_DUE", "OP", "OVERDUE", "READY", "counting", "listing"]

GET: Final = (
    "SELECT t.version, s.body, t.body FROM tasks t JOIN task_specs s ON s.id = t.id WHERE t.id = ? AND t.tenant = ?"
)

OP: Final = "SELECT op FROM tasks WHERE id = ? AND tenant = ?"

FENCE: Final = "SELECT fence FROM tasks WHERE id = ?"

LANES: Final = """
WITH RECURSIVE present (lane) AS (
    SELECT (SELECT lane FROM tasks WHERE ready AND tenant = ?1 AND lane > ?2 ORDER BY lane LIMIT 1)
    UNION ALL
    SELECT (SELECT lane FROM tasks WHERE ready AND tenant = ?1 AND lane > present.lane ORDER BY lane LIMIT 1)
    FROM present WHERE present.lane IS NOT NULL
    LIMIT ?3
)
SELECT body FROM present CROSS JOIN lanes ON lanes.lane = present.lane
"""
"""From each lane straight to the next one in the index: as many steps as lanes are asked for, however many
tasks they hold."""

READY: Final = (
    "SELECT id, tenant, version FROM tasks"
    " WHERE ready AND tenant = ? AND lane = ? ORDER BY priority DESC, created, id LIMIT ?"
)

OVERDUE: Final = "SELECT id, tenant, version FROM tasks WHERE due <= ? ORDER BY due, id LIMIT ?"

NEXT_DUE: Final = "SELECT due FROM tasks WHERE due IS NOT NULL ORDER BY due LIMIT 1"

HELD: Final = (
    "SELECT id, tenant, version FROM tasks"
    " WHERE tenant = ? AND worker = ? AND state IN ('running', 'input_required') AND fence <> ''"
)

COUNT: Final = "SELECT state, count(*) FROM tasks WHERE tenant = ? GROUP BY state"


_ORDERS: Final[Mapping[TaskOrder, tuple[str, str, str]]] = {
    TaskOrder.PRIORITY: ("best", "id, priority, created", "priority DESC, created, id"),
    TaskOrder.NEWEST: ("newest", "id, created", "created DESC, id DESC"),
    TaskOrder.CHANGED: ("changed", "id, since", "since DESC, id DESC"),
}
"""What an order is called in the names of indexes, what it looks at, and how it is said."""


def listing(tenant: TenantId, query: TaskQuery) -> tuple[str, Row]:
    """The ids of a page: a walk for each state, merged, so a page costs no more than its distance from the first."""
    _, columns, order = _ORDERS[query.order]
    where, given = _conditions(tenant, query)
    if query.beyond is not None:
        moment, id = query.beyond
        ordered = "since" if query.order is TaskOrder.CHANGED else "created"
        where, given = f"{where} AND ({ordered}, id) < (?, ?)", (*given, microseconds(moment), id)
    walk = f"SELECT {columns} FROM tasks INDEXED BY {_index(query)} WHERE state = ? AND {where}"  # noqa: S608
    states = _states(query)
    sql = f"{' UNION ALL '.join([walk] * len(states))} ORDER BY {order} LIMIT ? OFFSET ?"
    return sql, (*(value for state in states for value in (state, *given)), query.limit, query.after)


def counting(tenant: TenantId, query: TaskQuery) -> tuple[str, Row]:
    """How many there are to list, by the index that they are listed by."""
    where, given = _conditions(tenant, query)
    states = _states(query)
    marks = ", ".join("?" * len(states))
    sql = f"SELECT count(*) FROM tasks INDEXED BY {_index(query)} WHERE state IN ({marks}) AND {where}"  # noqa: S608
    return sql, (*states, *given)


def _index(query: TaskQuery) -> str:
    """The one that leads to the fewest tasks."""
    name, _, _ = _ORDERS[query.order]
    if query.worker is not None:
        # A worker has had few tasks: look at those and sort them, rather than at all of them in order.
        return "tasks_of_worker"
    if query.context is not None:
        return f"tasks_of_context_{name}"
    if query.created_by is not None:
        return "tasks_of_creator_changed"  # in another order they are sorted
    if query.codebase is not None and query.order is not TaskOrder.CHANGED:
        return f"tasks_of_codebase_{name}"
    return f"tasks_{name}"


def _states(query: TaskQuery) -> Sequence[TaskState]:
    return sorted(TaskState if query.states is None else query.states)


def _conditions(tenant: TenantId, query: TaskQuery) -> tuple[str, Row]:
    """What holds of the columns, in any state."""
    since = None if query.since is None else microseconds(query.since)
    asked: dict[str, str | int | None] = {
        "tenant = ?": tenant,
        "codebase = ?": query.codebase,
        "worker = ?": query.worker,
        "context = ?": query.context,
        "created_by = ?": query.created_by,
        "since >= ?": since,
    }
    given = {condition: value for condition, value in asked.items() if value is not None}
    return " AND ".join(given), (*given.values(),)
