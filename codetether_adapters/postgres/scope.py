"""Whose rows a transaction that writes works on: it says so itself, again whenever that changes, and forgets it."""

from __future__ import annotations

from typing import Final

from codetether_adapters.postgres.connection import Connection, execute
from codetether_core.ids import TenantId

__all__ = ["OVERSEE", "Scope"]

OVERSEE: Final = "set_config('codetether.everybody', 'on', TRUE)"
"""Begins a transaction that works on everybody's rows, until a ``Scope`` says otherwise."""

_WORK_ON: Final = "SELECT set_config('codetether.tenant', %s, TRUE), set_config('codetether.everybody', %s, TRUE)"

_EVERYBODYS: Final = ("", "on")


class Scope:
    """What was said in a transaction: nothing, unless it began with ``OVERSEE``."""

    def __init__(self, connection: Connection, *, overseeing: bool) -> None:
        self._connection = connection
        self._said = _EVERYBODYS if overseeing else None

    async def to(self, tenant: TenantId | None) -> None:
        """Work on this tenant's rows, or on everybody's."""
        whose = _EVERYBODYS if tenant is None else (tenant, "off")
        if whose != self._said:
            await execute(self._connection, _WORK_ON, whose)
            self._said = whose
