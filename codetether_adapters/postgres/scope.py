"""Whose rows a transaction that writes works on: it says so itself, again whenever that changes, and forgets it."""

from __future__ import annotations

from typing import Final

from codetether_adapters.postgres.connection import Connection, execute
from codetether_core.ids import TenantId

__all__ = ["OVERSEE", "Scope"]

OVERSEE: Final = "set_config('codetether.everybody', 'on', TRUE)"
"""Begins a transaction of the keeper's that works on everybody's rows."""

_WORK_FOR: Final = "SELECT set_config('codetether.tenant', %s, TRUE)"


class Scope:
    """What was said in a transaction: nothing in the beginning."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._said: TenantId | None = None

    async def to(self, tenant: TenantId) -> None:
        """Work on this tenant's rows."""
        if tenant != self._said:
            await execute(self._connection, _WORK_FOR, [tenant])
            self._said = tenant
