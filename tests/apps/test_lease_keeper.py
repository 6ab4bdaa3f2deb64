"""A lease is renewed in time, and given up before anybody else can have it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from codetether_adapters.client import ConnectionFailed
from codetether_apps.holding.lease import LeaseKeeper
from codetether_apps.holding.verdicts import Ending
from codetether_core.errors import CodeTetherError, LeaseRequired, NotFound, StaleLease, Unauthenticated
from tests.apps.worker_stage import MovedClock, Steady

pytestmark = pytest.mark.anyio

TTL = timedelta(seconds=60)


class Enough(BaseException):
    """The test has seen what it wanted."""


def keeper(clock: MovedClock, renew: Callable[[], None], ends: list[Ending], *, exclusive: bool = True) -> LeaseKeeper:
    """A keeper whose server does what ``renew`` does."""

    async def renewed() -> None:
        renew()

    return LeaseKeeper(
        renew=renewed,
        end=ends.append,
        ttl=TTL,
        exclusive=exclusive,
        renewed_at=clock.now(),
        clock=clock,
        entropy=Steady(),
    )


async def test_it_renews_every_quarter() -> None:
    """Three may be lost before the fourth comes too late."""
    clock, asked = MovedClock(), list[datetime]()

    def renew() -> None:
        asked.append(clock.now())
        if len(asked) == 4:
            raise Enough

    with pytest.raises(Enough):
        await keeper(clock, renew, []).keep()
    assert [after - before for before, after in pairwise(asked)] == [TTL / 4] * 3


async def test_an_exclusive_run_ends_before_anybody_else_can_be_granted() -> None:
    """At ttl − margin, counted from when the last answered renewal was sent."""
    clock, ends, answers = MovedClock(), list[Ending](), iter([True])
    started = clock.now()

    def renew() -> None:
        if not next(answers, False):
            raise ConnectionFailed("nobody there")

    await keeper(clock, renew, ends).keep()
    assert ends == [Ending.UNRENEWED]
    renewed_at = started + TTL / 4
    assert renewed_at + TTL - TTL / 6 <= clock.now() < renewed_at + TTL - TTL / 6 + timedelta(seconds=1)


async def test_a_run_that_shares_nothing_goes_on_until_it_is_told() -> None:
    """Nobody else could be harmed, and the server may take it up again."""
    clock, ends = MovedClock(), list[Ending]()
    started = clock.now()

    def renew() -> None:
        if clock.now() > started + 5 * TTL:
            raise StaleLease("superseded")
        raise ConnectionFailed("nobody there")

    await keeper(clock, renew, ends, exclusive=False).keep()
    assert ends == [Ending.SUPERSEDED]
    assert clock.now() > started + 5 * TTL


@pytest.mark.parametrize(
    ("error", "ending"),
    [
        (StaleLease("x", state="cancelled"), Ending.CANCELLED),
        (StaleLease("x", state="completed"), Ending.SUPERSEDED),
        (StaleLease("x"), Ending.SUPERSEDED),
        (LeaseRequired("x"), Ending.SUPERSEDED),
        (NotFound("task", "t"), Ending.SUPERSEDED),
    ],
)
async def test_a_refusal_ends_it_at_once(error: CodeTetherError, ending: Ending) -> None:
    """And says why."""
    clock, ends = MovedClock(), list[Ending]()
    started = clock.now()

    def renew() -> None:
        raise error

    await keeper(clock, renew, ends).keep()
    assert ends == [ending]
    assert clock.now() == started + TTL / 4


@pytest.mark.parametrize("error", [Unauthenticated("x"), NotFound("route", "/")])
async def test_what_a_proxy_or_a_lost_token_says_is_no_verdict(error: CodeTetherError) -> None:
    """Somebody may mend it while the lease lasts."""
    clock, ends, failures = MovedClock(), list[Ending](), iter([error, error, error])

    def renew() -> None:
        failure = next(failures, None)
        raise Enough if failure is None else failure

    with pytest.raises(Enough):
        await keeper(clock, renew, ends).keep()
    assert ends == []


async def test_one_that_comes_late_asks_once_before_it_gives_up() -> None:
    """A worker that was stopped may still be honoured."""
    clock, ends, asked = MovedClock(), list[Ending](), list[datetime]()
    late = keeper(clock, lambda: asked.append(clock.now()) if not asked else _enough(), ends)
    clock.at += 10 * TTL
    with pytest.raises(Enough):
        await late.keep()
    assert ends == []


async def test_one_that_was_stopped_while_it_asked_asks_again() -> None:
    """The try that was under way has seen nothing but its own deadline."""
    clock, ends, asked = MovedClock(), list[Ending](), list[datetime]()

    def renew() -> None:
        asked.append(clock.now())
        if len(asked) == 2:
            raise Enough
        clock.at += 10 * TTL
        raise TimeoutError

    with pytest.raises(Enough):
        await keeper(clock, renew, ends).keep()
    assert ends == []


async def test_one_that_was_stopped_gives_up_when_its_one_question_is_not_answered() -> None:
    """Nobody answers, and the lease is long over."""
    clock, ends, asked = MovedClock(), list[Ending](), list[datetime]()

    def renew() -> None:
        asked.append(clock.now())
        if len(asked) == 1:
            clock.at += 10 * TTL
        raise ConnectionFailed("nobody there")

    await keeper(clock, renew, ends).keep()
    assert ends == [Ending.UNRENEWED]
    assert len(asked) == 2


def _enough() -> None:
    raise Enough
