"""On which stores a story of two replicas is told, and how they wake each other."""

from __future__ import annotations

from functools import partial
from typing import Final

from tests.e2e.engines import SHARED
from tests.e2e.forms import told_on

__all__ = ["NOTIFIED", "at_two", "however_woken"]

NOTIFIED: Final = "postgresql with a Redis notifier"

at_two: Final = partial(told_on, fixture="replicas", engines=SHARED)
"""On these stores every day."""

however_woken: Final = partial(told_on, fixture="replicas", engines=(*SHARED, NOTIFIED))
"""Where it matters: on these, or through a notifier beside one."""
