"""Workers: who registered, what they can do, and whether they are still there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from attrs import evolve, frozen

from codetether_core.ids import CodebaseId, TenantId, WorkerId

__all__ = ["ABSENT_AFTER", "Presence", "Worker", "left", "presence", "seen"]

ABSENT_AFTER: Final = timedelta(seconds=60)
"""Four missed beats of 15 s."""


class Presence(StrEnum):
    """Whether a worker is there, judged from its beats and the time."""

    ACTIVE = "active"
    ABSENT = "absent"
    LEFT = "left"


@frozen(kw_only=True)
class Worker:
    """A worker as it registered itself. ``agents`` are the agent types that it runs, empty if it did not say."""

    id: WorkerId
    tenant: TenantId
    principal: str
    name: str
    registered_at: datetime
    last_seen: datetime
    hostname: str = ""
    capabilities: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    codebases: tuple[CodebaseId, ...] = ()
    global_codebase: CodebaseId | None = None
    models: tuple[Mapping[str, Any], ...] = ()
    slots: int = 2
    left_at: datetime | None = None
    version: int = 1


def presence(worker: Worker, now: datetime) -> Presence:
    """There, silent for too long, or signed off."""
    if worker.left_at is not None:
        return Presence.LEFT
    return Presence.ACTIVE if now - worker.last_seen < ABSENT_AFTER else Presence.ABSENT


def seen(worker: Worker, now: datetime) -> Worker:
    """The worker after a beat."""
    return evolve(worker, last_seen=now, left_at=None, version=worker.version + 1)


def left(worker: Worker, now: datetime) -> Worker:
    """The worker once it has signed off."""
    return evolve(worker, left_at=now, version=worker.version + 1)
