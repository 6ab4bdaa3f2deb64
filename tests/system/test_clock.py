"""Time that does not jump, and dice."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from codetether_adapters.system import SystemClock, SystemEntropy

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def test_time_goes_on_with_the_monotonic_clock_in_microseconds() -> None:
    ticks = iter([5_000, 5_999, 6_000, 1_000_005_000])
    clock = SystemClock(NOON, monotonic_ns=lambda: next(ticks))
    assert clock.now() == NOON
    assert clock.now() == NOON + timedelta(microseconds=1)
    assert clock.now() == NOON + timedelta(seconds=1)


def test_a_suspended_machine_loses_no_lease() -> None:
    """The monotonic clock stands still while the machine sleeps; so must ours, whatever the wall clock says after."""
    clock = SystemClock(NOON, monotonic_ns=lambda: 0)
    assert clock.now() == clock.now() == NOON


@pytest.mark.parametrize(
    ("wall", "store", "caught_up"),
    [
        (7200, 7200, 7200),  # this machine was suspended, and the store was not
        (7198, 7201, 7201),
        (0, 7200, 0),  # the store's clock jumped
        (7200, 0, 0),  # this machine's did
        (-7200, -7200, 0),  # both went back: ours never does
        (0, 0.5, 0),  # an answer that was on its way
    ],
)
def test_a_machine_that_slept_alone_catches_up(wall: float, store: float, caught_up: float) -> None:
    """Two witnesses are needed: the store's clock and this machine's wall clock."""

    def at(seconds: float) -> datetime:
        return NOON + timedelta(seconds=seconds)

    clock = SystemClock(NOON, monotonic_ns=lambda: 0, wall=lambda: at(wall))
    assert clock.catch_up(at(store)) == timedelta(seconds=caught_up)
    assert clock.now() == at(caught_up)


def test_it_is_aware_utc_and_near_the_machines() -> None:
    clock = SystemClock()
    before, now = datetime.now(UTC), clock.now()
    assert now.tzinfo is UTC
    assert abs(now - before) < timedelta(minutes=1)
    assert SystemClock(NOON.astimezone(timezone(timedelta(hours=5)))).now().tzinfo is UTC


def test_it_never_goes_backwards() -> None:
    clock = SystemClock()
    moments = [clock.now() for _ in range(10_000)]
    assert moments == sorted(moments)


async def test_a_sleep_lasts_by_its_own_clock_and_a_negative_one_not_at_all() -> None:
    clock = SystemClock()
    started = clock.now()
    await clock.sleep(timedelta(milliseconds=5))
    assert clock.now() - started >= timedelta(milliseconds=4)
    await clock.sleep(timedelta(days=-1))


def test_entropy_is_of_the_asked_size_and_differs() -> None:
    entropy = SystemEntropy()
    assert len(entropy.bytes(16)) == 16
    assert entropy.bytes(16) != entropy.bytes(16)
    draws = {entropy.fraction() for _ in range(1000)}
    assert len(draws) > 990
    assert all(0 <= draw < 1 for draw in draws)
