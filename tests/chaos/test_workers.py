"""Workers that nobody hears for longer than a lease lasts, and that come back."""

from __future__ import annotations

import signal

from tests.chaos.forms import told_on
from tests.chaos.stage import Stage
from tests.e2e.programs import until

TTL = "5s"


@told_on("postgresql")
def test_a_paused_worker_is_refused_once_others_were_granted(stage: Stage) -> None:
    """SIGSTOP past the lease, with output and an outcome on their way."""
    stage.open(ttl=TTL)
    stage.hold_back()
    late = stage.dice.choice(stage.held)
    late.end()
    until(lambda: "run_ended" in stage.worker.said, "an outcome that cannot be told")
    stage.strike(lambda: stage.worker.signal(signal.SIGSTOP))
    taken_over(stage)
    stage.line.heal()
    stage.worker.signal(signal.SIGCONT)
    superseded(stage)
    (attempt,) = stage.one.client.tasks.get(late.id).attempts[:1]
    assert (attempt.evidence or "").endswith("end")
    stage.end()


@told_on("redis")
def test_a_worker_behind_a_cut_line_is_refused_once_others_were_granted(stage: Stage) -> None:
    """It knows nothing of it, and its agents go on; nothing that they print meanwhile is mixed into the others'."""
    stage.open(ttl=TTL)
    stage.hold_back()
    stage.strike(lambda: None)  # the line is cut: that is it
    taken_over(stage)
    printed = [each.printed() for each in stage.held]
    until(lambda: all(each.printed() > before for each, before in zip(stage.held, printed, strict=True)), "both run")
    stage.line.heal()
    superseded(stage)
    stage.end()


def taken_over(stage: Stage) -> None:
    """Wait until another worker runs all of it, and the store has output of that."""
    until(lambda: all(each.runs == 2 for each in stage.held), "the second runs")
    until(lambda: all(stage.output(each, 2) for each in stage.held), "their output")


def superseded(stage: Stage) -> None:
    """Wait until the first runs have ended, which charged each task one attempt and no more."""
    until(lambda: stage.worker.said.count("run_superseded") == len(stage.held), "the end of the first runs")
    for each in stage.held:
        view = stage.two.client.tasks.get(each.id)
        assert (view.attempt, view.attempts_charged) == (2, 1)
