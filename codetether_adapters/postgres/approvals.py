"""Approvals in PostgreSQL; the task store swaps them in its own statements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from codetether_adapters.postgres.encoding import decoded
from codetether_adapters.postgres.reader import Reader
from codetether_core.approvals import Approval, ApprovalState
from codetether_core.errors import NotFound
from codetether_core.ids import ApprovalId, TaskId, TenantId

__all__ = ["PostgresApprovals"]

_GET: Final = "SELECT body FROM approvals WHERE tenant = %s AND id = %s"


class PostgresApprovals:
    """All approvals of one database (an ``ApprovalStore``)."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def get(self, tenant: TenantId, id: ApprovalId) -> Approval:
        """By primary key."""
        row = await self._reader.row(tenant, _GET, tenant, id)
        if row is None:
            raise NotFound("approval", id)
        return decoded(Approval, row[0])

    async def list(
        self,
        tenant: TenantId,
        *,
        task: TaskId | None = None,
        state: ApprovalState | None = None,
        limit: int = 100,
    ) -> Sequence[Approval]:
        """By the index that fits."""
        given = {"tenant": tenant, "task": task, "state": state}
        conditions = {column: value for column, value in given.items() if value is not None}
        where = " AND ".join(f"{column} = %s" for column in conditions)
        sql = f"SELECT body FROM approvals WHERE {where} ORDER BY created DESC, id DESC LIMIT %s"  # noqa: S608
        found = await self._reader.rows(tenant, sql, *conditions.values(), limit)
        return [decoded(Approval, body) for (body,) in found]
