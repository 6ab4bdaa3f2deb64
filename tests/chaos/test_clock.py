"""A replica that has the wrong time."""

from __future__ import annotations

from tests.chaos.forms import told_on
from tests.chaos.printing import Printing
from tests.chaos.stage import Stage
from tests.e2e.programs import until

TTL = 6


@told_on("postgresql")
def test_a_clock_that_is_somewhat_off_takes_no_lease_away(stage: Stage) -> None:
    """Ahead or behind by half of what a lease lasts: renewals come in time all the same."""
    stage.open(ttl=f"{TTL}s")
    stage.hold_back()
    stage.strike(lambda: mistaken(stage, stage.dice.choice([-1, 1]) * TTL / 2))
    stage.line.heal()
    goes_on(stage, stage.printing, 12 * TTL)
    stage.end()
    for each in stage.printing:
        view = stage.one.client.tasks.get(each.id)
        assert (view.attempt, view.attempts_charged) == (1, 0)


@told_on("redis")
def test_a_clock_that_is_far_ahead_takes_leases_and_mixes_nothing(stage: Stage) -> None:
    """Whoever held them is refused from then on; the tasks go to others once, until the clock is right again."""
    stage.open(ttl=f"{TTL}s")
    stage.hold_back()
    stage.strike(lambda: mistaken(stage, 600 * TTL))
    until(lambda: all(each.runs == 2 for each in stage.held), "the second runs")
    mistaken(stage, 0)
    stage.line.heal()
    until(lambda: stage.worker.said.count("run_superseded") == len(stage.held), "the end of the first runs")
    stage.end()
    for each in stage.held:
        view = stage.one.client.tasks.get(each.id)
        assert (view.attempt, view.attempts_charged) == (2, 1)


def mistaken(stage: Stage, skew: float) -> None:
    """Start the second replica again with a clock that is so many seconds off."""
    store = stage.two.settings["CODETETHER_STORE"]
    stage.servers.pop().kill()
    options = f"{'&' if '?' in store else '?'}before=0&after=0&skew={skew}"
    stage.servers.append(stage.two.server(CODETETHER_STORE=f"faulty+{store}{options}"))


def goes_on(stage: Stage, printing: list[Printing], count: int) -> None:
    """Wait until each has printed so many more numbers, and the store has them."""
    aims = [each.printed() + count for each in printing]
    for each, aim in zip(printing, aims, strict=True):
        until(lambda each=each, aim=aim: str(aim) in stage.output(each).split(), "output")  # type: ignore[misc]
