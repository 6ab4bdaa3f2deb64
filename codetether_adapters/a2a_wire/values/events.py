"""What happens to a task, as streams and webhooks tell it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from attrs import frozen

from codetether_adapters.a2a_wire.values.task import Artifact, TaskStatus

__all__ = ["ArtifactUpdate", "StatusUpdate", "Update"]


@frozen(kw_only=True)
class StatusUpdate:
    """The task stands otherwise, or its agent says something. ``final``: nothing follows on this stream (0.3)."""

    task_id: str
    context_id: str
    status: TaskStatus
    final: bool = False
    metadata: Mapping[str, Any] | None = None


@frozen(kw_only=True)
class ArtifactUpdate:
    """An artifact, or with ``append`` more parts of one that was told before."""

    task_id: str
    context_id: str
    artifact: Artifact
    append: bool = False
    last_chunk: bool = False
    metadata: Mapping[str, Any] | None = None


Update: TypeAlias = StatusUpdate | ArtifactUpdate
