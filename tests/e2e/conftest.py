"""A cluster for each test, which shows what its programs said if the test fails."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.cluster import Cluster
from tests.e2e.engines import ENGINES, store_settings

_ON_EVERY_ENGINE = {"test_crashes", "test_leaving"}


@pytest.fixture
def cluster(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cluster]:
    """Nothing is running yet; ``param`` names the engine of the store, SQLite by default."""
    cluster = Cluster(tmp_path, store_settings(getattr(request, "param", "sqlite")))
    try:
        yield cluster
    finally:
        cluster.close()
        sys.stderr.write(cluster.said())


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Whatever depends on what the store promises runs on every engine."""
    module = metafunc.definition.path.stem
    if "cluster" in metafunc.fixturenames and module in _ON_EVERY_ENGINE:
        metafunc.parametrize("cluster", ENGINES, indirect=True)
