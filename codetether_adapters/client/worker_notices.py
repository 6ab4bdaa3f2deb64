"""What a worker's stream tells it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from attrs import frozen

from codetether_adapters.client.views import TaskView
from codetether_core import codec
from codetether_core.errors import Invalid

__all__ = ["Beat", "CancelNotice", "Drain", "Notice", "Offer", "notice_of"]


@frozen
class Offer:
    """A task that may be claimed; others may have been offered it too."""

    task: TaskView


@frozen
class CancelNotice:
    """A task of ours was cancelled: stop the run, then say ``stopped``."""

    task_id: str


@frozen
class Drain:
    """The server is leaving: the stream ends, connect again. Leases are as good as before."""


@frozen
class Beat:
    """The stream is alive: it has just begun, or nothing happened for a while."""


Notice: TypeAlias = Offer | CancelNotice | Drain | Beat


def notice_of(name: str, data: Mapping[str, Any]) -> Notice | None:
    """What an event of the worker stream means; ``None`` for one that we do not know."""
    match name:
        case "task_available":
            try:
                return Offer(codec.parse(TaskView, data))
            except Invalid:
                return None
        case "cancel" if isinstance(data.get("task_id"), str):
            return CancelNotice(data["task_id"])
        case "drain":
            return Drain()
        case "connected" | "heartbeat":
            return Beat()
        case _:
            return None
