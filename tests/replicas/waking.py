"""Where it matters how replicas wake each other."""

from __future__ import annotations

from typing import Final

import pytest

from tests.e2e.engines import SHARED

__all__ = ["NOTIFIED", "however_woken"]

NOTIFIED: Final = "postgresql with a Redis notifier"

however_woken: Final = pytest.mark.parametrize("replicas", (*SHARED, NOTIFIED), indirect=True)
"""On every store, and through a notifier beside one."""
