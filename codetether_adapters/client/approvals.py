"""Approvals: what agents ask, and the answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from codetether_adapters.client.operations import M, Resource, operation
from codetether_adapters.client.requests import AGENT, Request, many, one, path
from codetether_adapters.client.transport import Transport
from codetether_adapters.client.views import ApprovalView
from codetether_core.approvals import ApprovalState

__all__ = ["Approvals", "answered", "ask_request"]

_WAIT: Final = 30.0


class Approvals(Resource[M]):
    """``client.approvals``."""

    @operation
    async def list(
        self, *, status: ApprovalState | None = ApprovalState.OPEN, task: str | None = None, limit: int = 100
    ) -> Sequence[ApprovalView]:
        """Approvals, newest first: the open ones, or those of another ``status`` (``None``: all)."""
        query = {"status": status, "task_id": task, "limit": limit}
        return await self._send(
            Request(method="GET", path=f"{AGENT}/approvals", query=query, read=many(ApprovalView, "approvals"))
        )

    @operation
    async def get(self, id: str, *, wait: float = 0.0) -> ApprovalView:
        """One approval; ``wait`` (60 seconds at most) lets the server hold the answer until it is no longer open."""
        return await self._send(_get(id, wait))

    @operation
    async def answer(self, id: str, *, choice: str | None = None, text: str | None = None) -> ApprovalView:
        """Answer it; ``AlreadyAnswered`` names who was faster."""
        return await self._send(
            Request(
                method="POST",
                path=path(f"{AGENT}/approvals", id, "answer"),
                body={"choice": choice, "text": text},
                read=one(ApprovalView, "approval"),
                repeatable=False,
            )
        )


async def answered(transport: Transport, id: str) -> ApprovalView:
    """The approval once it is no longer open."""
    while True:
        request = _get(id, _WAIT)
        approval = request.result(await transport.send(request))
        if approval.status is not ApprovalState.OPEN:
            return approval


def ask_request(task_id: str, body: Mapping[str, Any], headers: Mapping[str, str | None]) -> Request[ApprovalView]:
    """The request of a question, whose headers have a key: sent twice it asks once."""
    return Request(
        method="POST",
        path=path(f"{AGENT}/tasks", task_id, "ask"),
        body=body,
        headers=headers,
        read=one(ApprovalView, "approval"),
    )


def _get(id: str, wait: float) -> Request[ApprovalView]:
    query = {"wait": f"{wait:g}"} if wait else {}
    return Request(
        method="GET", path=path(f"{AGENT}/approvals", id), query=query, patience=wait, read=one(ApprovalView)
    )
