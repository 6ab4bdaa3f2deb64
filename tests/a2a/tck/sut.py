"""The server that the kit is run against: one of ours as it is started anywhere, with the kit's agent as its worker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.a2a.agents import working
from tests.a2a.tck.agent import Agent
from tests.e2e.cluster import TOKEN, Cluster

__all__ = ["serving"]

_SETTINGS: Final = {
    "CODETETHER_STORE": "memory://",
    "CODETETHER_AUTH": "off",  # the kit shows no credentials
    "CODETETHER_SECRET_KEY": "s" * 32,
    "CODETETHER_OUTGOING_ALLOW": "localhost",
}


@contextmanager
def serving(directory: Path, release: str) -> Iterator[str]:
    """Its address. The kit of release 1.0 takes no card with more in it than that release knows."""
    pure = "on" if release == "1.0" else "off"
    cluster = Cluster(directory, {**_SETTINGS, "CODETETHER_PURE_CARD": pure})
    try:
        cluster.server()
        with working(cluster.url, TOKEN, {"build": Agent(cluster.url, asks=release == "0.3")}):
            yield cluster.url
    finally:
        cluster.close()
