"""Questions about tasks, as SQL that walks an index and never sorts nor scans what it does not give back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from codetether_core.ids import TenantId
from codetether_core.ports import TaskQuery
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
SELECT spec, body FROM tasks
WHERE tenant = %s AND worker = %s AND state IN ('running', 'input_required') AND fence <> ''
"""

COUNT: Final = "SELECT state, count(*) FROM tasks WHERE tenant = %s GROUP BY state"


def listing(tenant: TenantId, query: TaskQuery) -> tuple[str, Sequence[Any]]:
    """A page: a walk for each state, merged, so a page costs no more than its distance from the first."""
    conditions: dict[str, str] = {"tenant": tenant}
    order = "created DESC, id DESC" if query.newest else "priority DESC, created, id"
    if query.codebase is not None:
        conditions["codebase"] = query.codebase
    if query.worker is not None:
        conditions["worker"] = query.worker
    where = " AND ".join(f"{column} = %s" for column in conditions)
    walk = f"(SELECT id, priority, created FROM tasks WHERE {where} AND state = %s ORDER BY {order} LIMIT %s)"  # noqa: S608
    states = sorted(TaskState if query.states is None else query.states)
    values = [value for state in states for value in (*conditions.values(), state, query.after + query.limit)]
    page = f"SELECT * FROM ({' UNION ALL '.join([walk] * len(states))}) AS walks ORDER BY {order} LIMIT %s OFFSET %s"  # noqa: S608
    sql = f"SELECT spec, body FROM ({page}) AS page JOIN tasks USING (id, priority, created) ORDER BY {order}"  # noqa: S608
    return sql, [*values, query.limit, query.after]
