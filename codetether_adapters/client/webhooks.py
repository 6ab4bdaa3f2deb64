"""Webhooks of tasks that were given up: ``client.webhooks``. They are kept by way of A2A."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from attrs import frozen

from codetether_adapters.client.operations import M, Resource, operation
from codetether_adapters.client.requests import AGENT, Request, many, one, path

__all__ = ["WebhookView", "Webhooks"]

_AT = f"{AGENT}/push/dead-letters"


@frozen(kw_only=True)
class WebhookView:
    """A webhook, but not where it is. Its receiver has the task's events up to ``sequence``; ``error`` came instead."""

    id: str
    name: str
    task_id: str
    owner: str = ""
    state: str = ""
    sequence: int = 0
    attempts: int = 0
    error: str | None = None
    failing_since: datetime | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


class Webhooks(Resource[M]):
    """``client.webhooks``."""

    @operation
    async def given_up(self, *, limit: int = 100, after: str = "") -> Sequence[WebhookView]:
        """Those that nobody answered for too long, in order of id, from behind ``after``."""
        query = {"limit": limit, "after": after or None}
        return await self._send(Request(method="GET", path=_AT, query=query, read=many(WebhookView, "dead_letters")))

    @operation
    async def retry(self, id: str) -> WebhookView:
        """Deliver what is left, from now on and for as long as at first."""
        return await self._send(Request(method="POST", path=f"{path(_AT, id)}/retry", read=one(WebhookView)))
