"""Approvals in SQLite; the task store swaps them in its own operations."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

from codetether_adapters.sqlite.encoding import decoded, document, microseconds
from codetether_adapters.sqlite.reader import Reader
from codetether_adapters.sqlite.transaction import Transaction
from codetether_core.approvals import Approval, ApprovalState
from codetether_core.errors import NotFound, VersionConflict
from codetether_core.ids import ApprovalId, TaskId, TenantId
from codetether_core.ports import ApprovalChange

__all__ = ["SqliteApprovals", "swap_approval"]

_ADD: Final = "INSERT INTO approvals VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
_SWAP: Final = "UPDATE approvals SET version = ?, state = ?, body = ? WHERE tenant = ? AND id = ? AND version = ?"
_GET: Final = "SELECT body FROM approvals WHERE tenant = ? AND id = ?"


def swap_approval(transaction: Transaction, change: ApprovalChange) -> None:
    """Write the new version if the old one is there, or none where none is expected; else ``VersionConflict``."""
    old, new = change.old, change.new
    body = document(new)
    if old is None:
        added = (new.tenant, new.id, new.version, new.task, new.state, microseconds(new.created_at), body)
        written = transaction.execute(_ADD, added)
    else:
        swapped = (new.version, new.state, body, old.tenant, old.id, old.version)
        written = transaction.execute(_SWAP, swapped)
    if written.rowcount != 1:
        raise VersionConflict("The approval was changed meanwhile", id=new.id)


class SqliteApprovals:
    """All approvals of one file (an ``ApprovalStore``)."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    async def get(self, tenant: TenantId, id: ApprovalId) -> Approval:
        """By primary key."""
        row = self._reader.row(_GET, tenant, id)
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
        where = " AND ".join(f"{column} = ?" for column in conditions)
        sql = f"SELECT body FROM approvals WHERE {where} ORDER BY created DESC, id DESC LIMIT ?"  # noqa: S608

        def page(connection: sqlite3.Connection) -> Sequence[Approval]:
            found = connection.execute(sql, (*conditions.values(), limit)).fetchall()
            return [decoded(Approval, body) for (body,) in found]

        return await self._reader.scan(page)
