"""Workers and their presence."""

from codetether_core.workers.worker import ABSENT_AFTER, Presence, Worker, left, presence, seen

__all__ = ["ABSENT_AFTER", "Presence", "Worker", "left", "presence", "seen"]
