"""Workers, seen from outside."""

from __future__ import annotations

from collections.abc import Sequence

from codetether_adapters.client.operations import M, Resource, operation
from codetether_adapters.client.requests import AGENT, Request, many, one, path
from codetether_adapters.client.views import WorkerView

__all__ = ["Workers"]


class Workers(Resource[M]):
    """``client.workers``."""

    @operation
    async def list(self) -> Sequence[WorkerView]:
        """All that registered."""
        return await self._send(Request(method="GET", path=f"{AGENT}/workers", read=many(WorkerView)))

    @operation
    async def get(self, id: str) -> WorkerView:
        """One of them."""
        return await self._send(Request(method="GET", path=path(f"{AGENT}/workers", id), read=one(WorkerView)))
