"""Page tokens: a place in the order of change, opaque to clients."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from typing import TypeAlias

from codetether_core.codec import moment, timestamp
from codetether_core.errors import Invalid
from codetether_core.ids import TaskId
from codetether_core.tasks import Task

__all__ = ["PagePlace", "read_token", "token_behind"]

PagePlace: TypeAlias = tuple[datetime, TaskId]


def token_behind(task: Task) -> str:
    """The token of the page that begins behind this task."""
    return urlsafe_b64encode(f"{timestamp(task.since)} {task.id}".encode()).decode().rstrip("=")


def read_token(token: str) -> PagePlace | None:
    """Where a page begins; ``None`` for the first. ``Invalid`` for a token that nobody was given."""
    if not token:
        return None
    try:
        text = urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
        at, _, id = text.partition(" ")
        if not id or "\0" in id:
            raise ValueError(text)
        return moment(at), TaskId(id)
    except ValueError:
        raise Invalid("pageToken", "is not one that this server gave") from None
