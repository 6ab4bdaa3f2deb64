"""Questions about tasks, as SQL that walks an index and never sorts nor scans."""

from __future__ import annotations

from typing import Final

from codetether_adapters.sqlite.reader import Row
from codetether_core.ids import TenantId
from codetether_core.ports import TaskQuery
from codetether_core.tasks import TaskState

__all__ = ["COUNT", "FENCE", "GET", "HELD", "LANES", "NEXT_DUE", "OP", "OVERDUE", "READY", "listing"]

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


def listing(tenant: TenantId, query: TaskQuery) -> tuple[str, Row]:
    """The ids of a page: a walk for each state, merged, so a page costs no more than its distance from the first."""
    conditions: dict[str, str] = {"tenant": tenant}
    order, name = ("created DESC, id DESC", "newest") if query.newest else ("priority DESC, created, id", "best")
    index = f"tasks_{name}"
    if query.codebase is not None:
        conditions["codebase"] = query.codebase
        index = f"tasks_of_codebase_{name}"
    if query.worker is not None:
        # A worker has had few tasks: look at those and sort them, rather than at all of them in order.
        conditions["worker"] = query.worker
        index = "tasks_of_worker"
    where = " AND ".join(f"{column} = ?" for column in conditions)
    walk = f"SELECT id, priority, created FROM tasks INDEXED BY {index} WHERE {where} AND state = ?"  # noqa: S608
    states = sorted(TaskState if query.states is None else query.states)
    sql = f"{' UNION ALL '.join([walk] * len(states))} ORDER BY {order} LIMIT ? OFFSET ?"
    values = [value for state in states for value in (*conditions.values(), state)]
    return sql, (*values, query.limit, query.after)
