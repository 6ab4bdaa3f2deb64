"""Questions about tasks, as SQL that walks an index and never sorts nor scans what it does not give back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from codetether_core.ids import TenantId
from codetether_core.ports import TaskQuery
from codetether_core.tasks import TaskState

__all__ = ["COUNT", "GET", "HELD", "LANES", "NEXT_DUE", "OVERDUE", "READY", "listing"]

GET: Final = "SELECT spec, body FROM tasks WHERE id = %s AND tenant = %s"

LANES: Final = """
WITH RECURSIVE present (lane) AS (
    (SELECT lane FROM tasks WHERE ready AND tenant = %s AND lane > %s ORDER BY lane LIMIT 1)
    UNION ALL
    SELECT (SELECT lane FROM tasks WHERE ready AND tenant = %s AND lane > present.lane ORDER BY lane LIMIT 1)
    FROM present WHERE present.lane IS NOT NULL
), wanted AS (
    SELECT lane FROM present WHERE lane IS NOT NULL LIMIT %s
)
SELECT body FROM wanted JOIN lanes USING (lane) WHERE tenant = %s ORDER BY lane
"""
"""From each lane straight to the next one in the index: as many steps as lanes are asked for, however many
tasks they hold."""

READY: Final = """
SELECT found.spec, found.body
FROM unnest(%s::text[], %s::text[]) WITH ORDINALITY AS asked (tenant, lane, place)
CROSS JOIN LATERAL (
    SELECT id, priority, created, spec, body FROM tasks
    WHERE ready AND tenant = asked.tenant AND lane = asked.lane ORDER BY priority DESC, created, id LIMIT %s
) AS found
ORDER BY asked.place, found.priority DESC, found.created, found.id
"""

OVERDUE: Final = "SELECT spec, body FROM tasks WHERE due <= %s ORDER BY due, id LIMIT %s"

NEXT_DUE: Final = "SELECT due FROM tasks WHERE due IS NOT NULL ORDER BY due LIMIT 1"

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
