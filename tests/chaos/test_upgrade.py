"""Replicas and workers of the previous release and of this one take turns on one store, forwards and back again."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.chaos.forms import told_on
from tests.chaos.previous import previous_release
from tests.chaos.stage import Stage
from tests.e2e.cluster import Cluster
from tests.e2e.programs import ROOT, Program, until


@told_on("postgresql")
@pytest.mark.timeout(600)
def test_releases_take_turns(stage: Stage, tmp_path: Path) -> None:
    """Each start is beside the other release, under load; nothing is charged, and nobody has to begin anew."""
    previous = previous_release(tmp_path)
    stage.one.tree = stage.two.tree = previous
    stage.open()
    one, two = stage.servers
    stage.hold_back()
    stage.strike(lambda: two.signal(signal.SIGTERM))
    two = followed(stage.two, two, ROOT)
    stage.line.heal()
    stage.worker.signal(signal.SIGTERM)
    assert stage.worker.wait() == 0
    stage.one.tree = ROOT
    stage.one.worker("held", CODETETHER_WORKER_SLOTS="3")
    until(lambda: all(each.runs == 2 for each in stage.held), "the runs of the new worker")
    one = exchanged(stage.one, one, ROOT)
    exchanged(stage.two, two, previous)
    exchanged(stage.one, one, previous)
    stage.end()
    for each in stage.printing:
        view = stage.two.client.tasks.get(each.id)
        assert (view.attempt, view.attempts_charged) == (each.runs, 0)


def exchanged(replica: Cluster, leaving: Program, tree: Path) -> Program:
    """The server that takes the place of one that is asked to leave."""
    leaving.signal(signal.SIGTERM)
    return followed(replica, leaving, tree)


def followed(replica: Cluster, leaving: Program, tree: Path) -> Program:
    """The same for one that was asked already; a second time would not let it leave in order."""
    assert leaving.wait() == 0, leaving.said
    replica.tree = tree
    return replica.server()
