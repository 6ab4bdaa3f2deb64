"""Questions about tasks, as SQL that walks an index and never sorts nor scans what it does not give back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from codetether_adapters.postgres.encoding import microseconds
from codetether_core.ids import TenantId
from codetether_core.ports import TaskOrder, TaskQuery
from codetether_core.tasks import TaskState

__all__ = [
    "COUNT",
    "DUE_FROM",
    "GET",
    "HELD",
    "LANES",
    "NEXT_DUE",
    "OVERDUE",
    "READY",
    "counting",
    "listing",
    "waiting",
]

GET: Final = "SELECT spec, body FROM tasks WHERE id = %s AND tenant = %s"


def waiting(columns: str, queue: str, limit: str) -> str:
    """The first that wait in a queue, beginning where it says; ``queue`` is the alias of its row."""
    return f"""(
    SELECT {columns} FROM tasks WHERE ready AND queue = {queue}.queue
    AND (rank, created, id) >= ({queue}.rank, {queue}.created, {queue}.id)
    ORDER BY rank, created, id LIMIT {limit}
)"""  # noqa: S608


LANES: Final = f"""
WITH RECURSIVE met (lane, waits, found) AS (
    SELECT %s::text COLLATE "C", FALSE, 0
    UNION ALL
    SELECT next.lane, first.id IS NOT NULL, met.found + (first.id IS NOT NULL)::integer
    FROM met CROSS JOIN LATERAL (
        SELECT lane, turn FROM queues WHERE tenant = %s AND lane > met.lane ORDER BY lane, turn DESC LIMIT 1
    ) AS next LEFT JOIN LATERAL (
        SELECT first.id FROM queues AS present CROSS JOIN LATERAL {waiting("id", "present", "1")} AS first
        WHERE present.tenant = %s AND present.lane = next.lane AND present.turn = next.turn LIMIT 1
    ) AS first ON TRUE
    WHERE met.found < %s
)
SELECT lane, CASE WHEN waits THEN (SELECT body FROM lanes WHERE tenant = %s AND lanes.lane = met.lane) END
FROM met OFFSET 1
"""  # noqa: S608
"""From each lane straight to the next one that has queues: as many steps as lanes are asked for, and one for each in
which nothing waits any more; those have no body."""

READY: Final = f"""
SELECT found.spec, found.body
FROM unnest(%s::text[], %s::text[]) WITH ORDINALITY AS asked (tenant, lane, place)
CROSS JOIN LATERAL (
    SELECT turn FROM queues WHERE tenant = asked.tenant AND lane = asked.lane ORDER BY turn DESC LIMIT 1
) AS latest CROSS JOIN LATERAL (
    SELECT first.* FROM queues AS present
    CROSS JOIN LATERAL {waiting("id, rank, created, spec, body", "present", "%s")} AS first
    WHERE present.tenant = asked.tenant AND present.lane = asked.lane AND present.turn = latest.turn
    ORDER BY first.rank, first.created, first.id LIMIT %s
) AS found
ORDER BY asked.place, found.rank, found.created, found.id
"""  # noqa: S608

DUE_FROM: Final = "(SELECT coalesce((SELECT due FROM due_from ORDER BY turn DESC LIMIT 1), -9223372036854775808))"
"""Nothing is due before this moment. No index decides what is compared with ``coalesce`` itself, as under row security
the server takes that for something that might tell of rows."""

OVERDUE: Final = f"SELECT spec, body FROM tasks WHERE due >= {DUE_FROM} AND due <= %s ORDER BY due, id LIMIT %s"  # noqa: S608

NEXT_DUE: Final = f"SELECT due FROM tasks WHERE due >= {DUE_FROM} ORDER BY due LIMIT 1"  # noqa: S608

HELD: Final = """
SELECT spec, body FROM tasks WHERE tenant = %s AND worker = %s AND state = 'running' AND fence <> ''
UNION ALL
SELECT spec, body FROM tasks WHERE tenant = %s AND worker = %s AND state = 'input_required' AND fence <> ''
"""
"""A walk for each state: asked for both at once, a server that does not know the table yet takes another index, and
looks at all that the tenant has in these states."""

COUNT: Final = "SELECT state, count(*) FROM tasks WHERE tenant = %s GROUP BY state"


_ORDERS: Final[Mapping[TaskOrder, tuple[str, str]]] = {
    TaskOrder.PRIORITY: ("id, priority, created", "priority DESC, created, id"),
    TaskOrder.NEWEST: ("id, created", "created DESC, id DESC"),
    TaskOrder.CHANGED: ("id, since", "since DESC, id DESC"),
}
"""What an order looks at, and how it is said."""


def listing(tenant: TenantId, query: TaskQuery) -> tuple[str, Sequence[Any]]:
    """A page: a walk for each state, merged, so a page costs no more than its distance from the first."""
    columns, order = _ORDERS[query.order]
    where, given = _conditions(tenant, query)
    if query.beyond is not None:
        moment, id = query.beyond
        ordered = "since" if query.order is TaskOrder.CHANGED else "created"
        where, given = f"{where} AND ({ordered}, id) < (%s, %s)", [*given, microseconds(moment), id]
    walk = f"(SELECT {columns} FROM tasks WHERE state = %s AND {where} ORDER BY {order} LIMIT %s)"  # noqa: S608
    states = _states(query)
    values = [value for state in states for value in (state, *given, query.after + query.limit)]
    page = f"SELECT * FROM ({' UNION ALL '.join([walk] * len(states))}) AS walks ORDER BY {order} LIMIT %s OFFSET %s"  # noqa: S608
    sql = f"SELECT spec, body FROM ({page}) AS page JOIN tasks USING ({columns}) ORDER BY {order}"  # noqa: S608
    return sql, [*values, query.limit, query.after]


def counting(tenant: TenantId, query: TaskQuery) -> tuple[str, Sequence[Any]]:
    """How many there are to list, a walk for each state."""
    where, given = _conditions(tenant, query)
    walk = f"(SELECT count(*) FROM tasks WHERE state = %s AND {where})"  # noqa: S608
    states = _states(query)
    return f"SELECT {' + '.join([walk] * len(states))}", [value for state in states for value in (state, *given)]


def _states(query: TaskQuery) -> Sequence[TaskState]:
    return sorted(TaskState if query.states is None else query.states)


def _conditions(tenant: TenantId, query: TaskQuery) -> tuple[str, Sequence[Any]]:
    """What holds of the columns, in any state."""
    since = None if query.since is None else microseconds(query.since)
    asked: dict[str, Any] = {
        "tenant = %s": tenant,
        "codebase = %s": query.codebase,
        "worker = %s": query.worker,
        "context = %s": query.context,
        "created_by = %s": query.created_by,
        "since >= %s": since,
    }
    given = {condition: value for condition, value in asked.items() if value is not None}
    return " AND ".join(given), [*given.values()]
