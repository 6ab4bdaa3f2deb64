"""Sessions: conversations with an agent about a codebase, and the messages in them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import Factory, frozen

from codetether_core.artifacts import BlobId
from codetether_core.ids import CodebaseId, SessionId, TenantId, WorkerId

__all__ = ["Session", "SessionMessage"]


@frozen(kw_only=True)
class Session:
    """A conversation as its worker last told it. ``details`` are members that we keep and do not read.

    ``transcript`` has the messages that were filed away, ``loose`` says whether there are others.
    """

    id: SessionId
    tenant: TenantId
    codebase: CodebaseId
    created_at: datetime
    updated_at: datetime
    synced_at: datetime
    title: str = ""
    directory: str = ""
    project: str | None = None
    agent: str | None = None
    worker: WorkerId | None = None
    source: str = "worker_sync"
    details: Mapping[str, Any] = Factory(dict[str, Any])
    version: int = 1
    transcript: BlobId | None = None
    loose: bool = False

    @property
    def quiet_since(self) -> datetime | None:
        """Since when nothing was said, if there are messages to file away."""
        return self.updated_at if self.loose else None


@frozen(kw_only=True)
class SessionMessage:
    """One turn: ``role`` is ``user``, ``assistant``, ``system`` or ``tool``; ``parts`` are the agent's own objects.

    Messages are told again and again and replaced by id; one that a later telling leaves out is kept.
    """

    id: str
    session: SessionId
    role: str
    created_at: datetime
    agent: str | None = None
    model: str | None = None
    cost: float | None = None
    tokens: Any = None
    tool_calls: tuple[Any, ...] = ()
    parts: tuple[Any, ...] = ()
