"""A cluster for each test, which shows what its programs said if the test fails."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.cluster import Cluster


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """Nothing is running yet."""
    cluster = Cluster(tmp_path)
    try:
        yield cluster
    finally:
        cluster.close()
        sys.stderr.write(cluster.said())
