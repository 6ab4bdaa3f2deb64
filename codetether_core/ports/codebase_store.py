"""Where codebases are kept."""

from __future__ import annotations

from typing import Protocol

from codetether_core.codebases import Codebase
from codetether_core.ids import TenantId
from codetether_core.ports.record_store import RecordStore

__all__ = ["CodebaseStore"]


class CodebaseStore(RecordStore[Codebase], Protocol):
    """Codebases, unique by (tenant, name, path) as well as by id."""

    async def find(self, tenant: TenantId, name: str, path: str) -> Codebase | None:
        """The codebase of that name and path, if there is one."""
        ...
