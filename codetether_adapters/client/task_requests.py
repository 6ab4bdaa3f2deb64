"""The requests about one task that both ``client.tasks`` and a handle make."""

from __future__ import annotations

from codetether_adapters.client.requests import AGENT, Request, one, path
from codetether_adapters.client.views import TaskView

__all__ = ["cancel_task", "events_path", "get_task"]


def get_task(id: str) -> Request[TaskView]:
    """Read it."""
    return Request(method="GET", path=path(f"{AGENT}/tasks", id), read=one(TaskView))


def cancel_task(id: str) -> Request[TaskView]:
    """Cancel it; doing so again changes nothing."""
    return Request(method="POST", path=path(f"{AGENT}/tasks", id, "cancel"), read=one(TaskView, "task"))


def events_path(id: str) -> str:
    """Where its events are streamed."""
    return path(f"{AGENT}/tasks", id, "events")
