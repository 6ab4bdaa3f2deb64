"""Backoff: capped, exponential, spread over the whole of its range."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codetether_core.tasks import backoff

draws = st.floats(0, 1, exclude_max=True)
durations = st.timedeltas(timedelta(0), timedelta(days=1))


@pytest.mark.parametrize(("charged", "seconds"), [(0, 2), (1, 2), (2, 4), (3, 8), (9, 512), (10, 600), (10**9, 600)])
def test_the_ceiling_doubles_with_every_attempt_up_to_the_cap(charged: int, seconds: int) -> None:
    assert backoff(charged, 0.5) == timedelta(seconds=seconds) / 2


@given(st.integers(-5, 10_000), draws, durations, durations)
def test_a_wait_is_never_negative_nor_above_its_cap(charged: int, draw: float, base: timedelta, cap: timedelta) -> None:
    """The count comes from a store and the durations from settings: no pair may overflow or look back in time."""
    assert timedelta(0) <= backoff(charged, draw, base=base, cap=cap) <= cap


@given(st.integers(0, 64), draws, draws)
def test_a_larger_draw_waits_longer(charged: int, one: float, other: float) -> None:
    """Full jitter: a thousand tasks that failed together do not come back together."""
    low, high = sorted((one, other))
    assert backoff(charged, low) <= backoff(charged, high)
    assert backoff(charged, 0.0) == timedelta(0)
