"""A stage for each test, over a store of the engine that its form names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.stage import Stage, staged
from tests.e2e.engines import store_settings


@pytest.fixture
def stage(engine: str, seed: int, tmp_path: Path) -> Iterator[Stage]:
    """Nothing runs yet."""
    with staged(tmp_path, store_settings(engine), seed) as stage:
        yield stage
