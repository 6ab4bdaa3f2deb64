"""What the reaper does, as answered."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from codetether_adapters.http.resources.shapes.tasks import Task

__all__ = ["Reaper", "Recovered", "StuckTasks"]


@frozen(kw_only=True)
class StuckTasks:
    """Running tasks of which nothing was heard for that long."""

    timeout_seconds: float
    count: int
    tasks: tuple[Task, ...]


@frozen(kw_only=True)
class Sweep:
    """What the reaper did."""

    checked_at: datetime | None
    tasks_checked: int
    tasks_requeued: int
    tasks_failed: int
    tasks_notified: int
    errors: tuple[str, ...]


@frozen(kw_only=True)
class Recovered:
    """The reaper has looked."""

    success: bool
    stats: Sweep


@frozen(kw_only=True)
class Reaper:
    """``status`` is ``healthy`` or ``stopped``; ``stuck_timeout_seconds`` is the time to live of a lease.

    ``last_collection`` is when this server last looked for blobs that nobody names, of which ``blobs_collected`` went.
    Of so many as ``tenants_not_collected`` it could not tell what is named; the trail says why (``blobs.collected``).
    """

    status: str
    running: bool
    stuck_timeout_seconds: float
    interval_seconds: float
    max_attempts: int
    last_run: datetime | None
    last_collection: datetime | None
    blobs_collected: int
    tenants_not_collected: int
