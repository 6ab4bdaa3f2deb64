"""Two replicas, as processes that share nothing but a store."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.cluster import Cluster
from tests.e2e.engines import ENGINES, store_settings

_SHARED = tuple(engine for engine in ENGINES if engine != "sqlite")


@pytest.fixture(params=_SHARED)
def replicas(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Cluster, Cluster]]:
    """Nothing is running yet; each has workers and clients of its own."""
    settings = store_settings(request.param)
    pair = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        pair.append(Cluster(tmp_path / name, dict(settings)))
    one, two = pair
    try:
        yield one, two
    finally:
        for each in pair:
            each.close()
            sys.stderr.write(each.said())
