"""What processes cost, by the operating system's own accounting."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

import psutil

__all__ = ["cpu_seconds"]


def cpu_seconds(roots: Iterable[psutil.Process]) -> float:
    """User and system time of these processes and all their descendants so far, those that have ended included."""
    total = 0.0
    for root in roots:
        for member in [root, *root.children(recursive=True)]:
            with suppress(psutil.NoSuchProcess):
                times = member.cpu_times()
                total += times.user + times.system + times.children_user + times.children_system
    return total
