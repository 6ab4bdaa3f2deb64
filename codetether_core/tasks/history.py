"""What the log says of a change: one event for each pair of versions."""

from __future__ import annotations

from typing import Any, Final

from attrs import asdict

from codetether_core.artifacts import Artifact
from codetether_core.events import Event, Topic
from codetether_core.tasks.machine import TaskState
from codetether_core.tasks.task import Task

__all__ = ["CHANGE_KINDS", "change"]

_ENDINGS: Final = {
    TaskState.COMPLETED: "task.completed",
    TaskState.FAILED: "task.failed",
    TaskState.CANCELLED: "task.cancelled",
}

CHANGE_KINDS: Final = ("task.created", "task.status", *_ENDINGS.values(), "task.stopped", "task.artifact")


def change(old: Task | None, new: Task) -> Event | None:
    """The event that leads from ``old`` (``None``: it did not exist) to ``new``; ``None`` for a mere renewal."""
    data: dict[str, Any] = {
        "task_id": new.id,
        "codebase_id": new.spec.codebase,
        "title": new.spec.title,
        "status": new.state,
        "attempt": new.grant.number if new.grant else 0,
        "worker_id": new.grant.worker if new.grant else None,
        "session_id": new.session,
    }
    if new.reason:
        data["reason"] = new.reason
    if old is None:
        kind = "task.created"
        data |= {"agent_type": new.spec.agent_type, "priority": new.spec.priority}
    elif old.state is not new.state and new.ended:
        kind = _ENDINGS[new.state]
        data |= {"result": new.result, "error": new.error}
    elif (old.state, old.session, old.grant and old.grant.number, old.delegation) != (
        new.state,
        new.session,
        new.grant and new.grant.number,
        new.delegation,
    ):
        kind = "task.status"
        data["previous"] = old.state
        if new.error:
            data["error"] = new.error
        if new.delegation and new.delegation != old.delegation:
            data["delegation"] = asdict(new.delegation)
    elif new.stopped and not old.stopped:
        kind = "task.stopped"
    elif new.artifacts != old.artifacts:
        kind = "task.artifact"
    else:
        return None
    if old is not None and (left := [_told(each) for each in new.artifacts if each not in old.artifacts]):
        data["artifacts"] = left
    return Event(Topic.task(new.tenant, new.spec.codebase, new.id), kind, new.updated_at, data)


def _told(artifact: Artifact) -> dict[str, Any]:
    return {
        "name": artifact.name,
        "media_type": artifact.media_type,
        "size": artifact.size,
        "attempt": artifact.attempt,
        "created_at": artifact.created_at,
    }
