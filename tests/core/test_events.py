"""Cursors and topics."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codetether_core.errors import Invalid
from codetether_core.events import AGENTS, WORKERS, Cursor, Record, Topic
from codetether_core.ids import AgentName, CodebaseId, TaskId, TenantId, WorkerId

TENANT = TenantId("default")
names = st.sampled_from(["", "a", "b"])
topics = st.tuples(names, names, names).filter(lambda names: bool(names[1]) or not names[2])
"""From the left: a subject has a scope."""


# --------------------------------------------------------------------------------------------- cursors


@given(st.text(min_size=1), st.integers(0, 10**18 - 1))
def test_a_cursor_is_read_as_it_was_written(epoch: str, position: int) -> None:
    """Whatever the epoch is made of, dots included: stores choose it."""
    cursor = Cursor(epoch, position)
    assert Cursor.parse(str(cursor)) == cursor


@pytest.mark.parametrize(
    "text",
    ["", ".", "e.", ".1", "e", "1", "e.-1", "e.+1", "e. 1", "e.1 ", "e.1.", "e.x", "e.1_0", "e.\u0661", "e.\u00b2"],
)
def test_what_is_no_cursor_is_refused_and_the_header_named(text: str) -> None:
    """Clients send back what they were given; anything else is a mistake to point at, not to guess about."""
    with pytest.raises(Invalid) as refused:
        Cursor.parse(text)
    assert (refused.value.field, refused.value.code) == ("Last-Event-ID", "cursor_malformed")
    with pytest.raises(Invalid, match=r"^after: is not a cursor that this server gave$"):
        Cursor.parse(text, "after")


@pytest.mark.parametrize(("digits", "fits"), [(18, True), (926, True), (1001, False), (10_000, False)])
def test_a_position_may_be_long_but_not_without_end(digits: int, fits: bool) -> None:
    """48 bits for each of 64 shards; and Python itself refuses to read thousands of digits with an error not ours."""
    if fits:
        assert Cursor.parse("e." + "9" * digits).position == int("9" * digits)
    else:
        with pytest.raises(Invalid):
            Cursor.parse("e." + "9" * digits)


@given(st.text())
def test_any_text_is_a_cursor_or_is_refused(text: str) -> None:
    try:
        cursor = Cursor.parse(text)
    except Invalid:
        return
    assert cursor.epoch and cursor.position >= 0


# ---------------------------------------------------------------------------------------------- topics


@given(topics, topics)
def test_covering_and_widening_agree(wide: tuple[str, str, str], narrow: tuple[str, str, str]) -> None:
    """A notifier rings ``widening``, a log filters with ``covers``: a difference is a watcher that sleeps for ever."""
    reader, event = (Topic(TenantId(tenant), scope, subject) for tenant, scope, subject in (wide, narrow))
    assert reader.covers(event) == (reader in event.widening())


@given(topics)
def test_a_topic_covers_itself(names: tuple[str, str, str]) -> None:
    topic = Topic(TenantId(names[0]), *names[1:])
    assert topic.covers(topic)


def test_what_a_reader_of_each_topic_sees() -> None:
    codebase = CodebaseId("cb_1")
    task = Topic.task(TENANT, codebase, TaskId("tsk_1"))
    assert task.widening() == (task, Topic.codebase(TENANT, codebase), Topic(TENANT))
    assert Topic.codebase(TENANT, codebase).covers(task)
    assert not task.covers(Topic.codebase(TENANT, codebase))
    assert not Topic.task(TENANT, codebase, TaskId("tsk_2")).covers(task)
    assert not Topic.codebase(TENANT, CodebaseId("cb_2")).covers(task)
    assert not Topic(TenantId("other")).covers(task)
    assert Topic.agent(TENANT, AgentName("coder")) == Topic(TENANT, AGENTS, "coder")
    assert Topic.worker(TENANT, WorkerId("ann")) == Topic(TENANT, WORKERS, "ann")


# --------------------------------------------------------------------------------------------- records


def test_records_are_told_apart_by_identity() -> None:
    """They are handed to every subscriber with their frames; comparing bodies would cost more than sending them."""
    one, other = (Record(1, 1, Topic(TENANT), "task.output", datetime(2026, 1, 1, tzinfo=UTC), b"{}") for _ in range(2))
    assert one != other
    assert one.frames == {} and one.frames is not other.frames
