"""The disk of the embedded store is full."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from codetether_adapters.client import NewTask
from codetether_core.errors import Unavailable
from tests.chaos.stage import Stage, staged
from tests.e2e.programs import Program, until

FULL = "nothing that was accepted is lost"


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Stage]:
    """One server, whose store is a file."""
    with staged(tmp_path, {"CODETETHER_STORE": f"sqlite://{tmp_path / 'store.db'}"}, 0, replicas=1) as stage:
        yield stage


def test_a_full_disk_takes_nothing_more_and_loses_nothing(alone: Stage, tmp_path: Path) -> None:
    """What is refused is told as such and tried again by whoever wants it; with room again everything goes on."""
    alone.open(ttl="60s")
    (server,) = alone.servers
    alone.hold_back()
    alone.strike(lambda: room(server, (tmp_path / "store.db-wal").stat().st_size))
    alone.line.heal()
    until(lambda: refused(alone), "a refusal")
    accepted = len(alone.accepted())
    room(server, resource.RLIM_INFINITY)
    until(lambda: len(alone.accepted()) > accepted, "answers")
    for each in alone.printing:
        view = alone.one.client.tasks.get(each.id)
        assert (view.attempt, view.attempts_charged) == (1, 0)
    alone.end()


def room(server: Program, size: int) -> None:
    """Let no file of a server become longer than this."""
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def refused(stage: Stage) -> bool:
    """Whether a submission is, for want of room."""
    try:
        stage.one.client.tasks.submit(NewTask("One more", agent="echo"))
    except Unavailable as error:
        return FULL in error.hint
    return False
