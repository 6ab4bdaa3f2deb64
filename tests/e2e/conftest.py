"""A cluster for each test, which shows what its programs said if the test fails."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.cluster import Cluster
from tests.e2e.engines import store_settings


@pytest.fixture
def cluster(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cluster]:
    """Nothing is running yet; ``param`` names the engine of the store, SQLite by default."""
    cluster = Cluster(tmp_path, store_settings(getattr(request, "param", "sqlite")))
    try:
        yield cluster
    finally:
        cluster.close()
        sys.stderr.write(cluster.said())
