"""A backup is taken under load; the store is lost after that, and another one takes its place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from codetether_core.errors import StaleLease
from tests.chaos.forms import told_on
from tests.chaos.stage import Stage
from tests.e2e.engines import SHARED, store_settings
from tests.e2e.programs import start, until


@told_on("postgresql")
def test_what_was_accepted_before_a_backup_is_there_after_it(stage: Stage, engine: str, tmp_path: Path) -> None:
    """Restored on another engine: nobody's lease counts there, what ran is run again, watchers go on from the copy."""
    stage.open()
    words = stage.one.client.worker
    mine = stage.one.client.tasks.run("By hand", agent="nobody")
    lease = words.claim("by-hand", mine.id, "k" * 16).lease
    before = set(stage.accepted())
    codetether(tmp_path, stage.one.settings, "backup", str(tmp_path / "copy"))
    stage.hold_back()
    stage.strike(stage.kill_servers)
    new = store_settings(SHARED[SHARED.index(engine) - 1])
    codetether(tmp_path, new, "restore", str(tmp_path / "copy"))
    for replica in stage.replicas:
        replica.settings |= new
        replica.server()
    stage.line.heal()
    with pytest.raises(StaleLease):
        words.renew("by-hand", mine.id, lease.token)
    until(lambda: stage.worker.said.count("run_superseded") == len(stage.held), "the end of the first runs")
    until(lambda: all(each.runs == 2 for each in stage.printing), "the second runs")
    lost = stage.end(loss=True)
    assert not lost & before
    stage.kept(set(stage.accepted()) - lost)
    for each in stage.printing:
        view = stage.two.client.tasks.get(each.id)
        assert (view.attempt, view.attempts_charged) == (2, 0)


def codetether(directory: Path, settings: Mapping[str, str], *words: str) -> None:
    """Have the command do it."""
    command = start(directory / "command.log", settings, "-m", "codetether_apps.cli", *words)
    assert command.wait() == 0, command.said
