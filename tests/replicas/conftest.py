"""Two replicas, as processes that share nothing but a store."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.cluster import Cluster
from tests.e2e.engines import store_settings
from tests.replicas.waking import NOTIFIED
from tests.servers.valkey import own_server


@pytest.fixture
def replicas(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Cluster, Cluster]]:
    """Nothing is running yet; each has workers and clients of its own.

    With a notifier beside its store, neither hears of the other in any other way.
    """
    settings = store_settings(request.param.partition(" ")[0])
    module = "codetether_apps.server"
    if request.param == NOTIFIED:
        settings["CODETETHER_NOTIFIER"] = own_server().url
        module = "tests.replicas.told_only"
    pair = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        pair.append(Cluster(tmp_path / name, dict(settings), server_module=module))
    one, two = pair
    try:
        yield one, two
    finally:
        for each in pair:
            each.close()
            sys.stderr.write(each.said())
