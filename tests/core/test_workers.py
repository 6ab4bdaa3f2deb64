"""Workers: there, silent for too long, or signed off."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codetether_core.access import DEFAULT_TENANT
from codetether_core.ids import WorkerId
from codetether_core.workers import ABSENT_AFTER, Presence, Worker, left, presence, seen

Verb = Callable[[Worker, datetime], Worker]

NOW = datetime(2026, 1, 1, tzinfo=UTC)
TICK = timedelta(microseconds=1)
WORKER = Worker(
    id=WorkerId("ann"),
    tenant=DEFAULT_TENANT,
    principal="carol",
    name="Ann",
    registered_at=NOW,
    last_seen=NOW,
)


@pytest.mark.parametrize(
    ("silence", "expected"),
    [
        (-TICK, Presence.ACTIVE),
        (0 * TICK, Presence.ACTIVE),
        (ABSENT_AFTER - TICK, Presence.ACTIVE),
        (ABSENT_AFTER, Presence.ABSENT),
    ],
)
def test_a_worker_is_there_until_four_beats_are_missed(silence: timedelta, expected: Presence) -> None:
    assert timedelta(seconds=60) == ABSENT_AFTER
    assert presence(WORKER, NOW + silence) is expected


def test_who_signs_off_is_gone_at_once_and_back_with_the_next_beat() -> None:
    """Otherwise a rolling restart would look like an outage for a minute, or a worker that came back like one lost."""
    gone = left(WORKER, NOW)
    assert (presence(gone, NOW), gone.version) == (Presence.LEFT, 2)
    back = seen(gone, NOW + TICK)
    assert (presence(back, NOW + TICK), back.version, back.left_at) == (Presence.ACTIVE, 3, None)


@given(st.lists(st.tuples(st.sampled_from([seen, left]), st.integers(0, 120)), max_size=8), st.integers(0, 120))
def test_presence_is_the_last_thing_heard_and_the_time_since(happened: list[tuple[Verb, int]], silence: int) -> None:
    worker, now = WORKER, NOW
    last: Verb = seen
    for verb, pause in happened:
        now += timedelta(seconds=pause)
        worker, last = verb(worker, now), verb
        assert worker.registered_at == NOW
    expected = presence(worker, now + timedelta(seconds=silence))
    if last is left:
        assert expected is Presence.LEFT
    else:
        assert expected is (Presence.ACTIVE if silence < 60 else Presence.ABSENT)
    assert worker.version == 1 + len(happened)
