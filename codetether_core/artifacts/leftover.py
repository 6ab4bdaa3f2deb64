"""What is left to do once something is erased: its blobs are to go, if nothing else needs them."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from codetether_core.artifacts.blobs import BlobId
from codetether_core.ids import CodebaseId, SessionId, TaskId, TenantId

__all__ = ["Leftover"]


@frozen(kw_only=True)
class Leftover:
    """The blobs of a task, or of a session of a codebase, noted before that is erased, or a blob that came too late
    for it: good once it is gone.
    """

    id: str
    tenant: TenantId
    created_at: datetime
    blobs: tuple[BlobId, ...]
    codebase: CodebaseId
    task: TaskId | None = None
    session: SessionId | None = None
    version: int = 1
