"""The ring of recent records against a plain list."""

from hypothesis import given
from hypothesis import strategies as st

from codetether_adapters.tail import Ring
from codetether_core.events import Record, Topic
from contracts.ports.samples import NOW, OTHER_TENANT, TENANT

TOPICS = [Topic(tenant, scope, subject) for tenant in (TENANT, OTHER_TENANT) for scope in "ab" for subject in ("", "1")]
READ = [*TOPICS, Topic(TENANT), Topic(OTHER_TENANT), Topic(TENANT, "none")]


@given(
    st.lists(st.tuples(st.sampled_from(TOPICS), st.integers(0, 3000), st.integers(1, 3)), max_size=60),
    st.integers(0, 20_000),
    st.integers(0, 100),
)
def test_a_ring_is_the_recent_end_of_the_log(appended: list[tuple[Topic, int, int]], limit: int, before: int) -> None:
    """From any position that is not before its floor it gives every record of the topic, the very same objects."""
    ring, records, head = Ring(before, limit=limit), list[Record](), before
    for topic, size, gap in appended:
        head += gap
        records.append(Record(head, 1, topic, "kind", NOW, b"x" * size))
        ring.extend(records[-1:])
        assert ring.head == head
    assert before <= ring.floor <= head
    for topic in READ:
        for position in {ring.floor, head, *(record.position for record in records if record.position >= ring.floor)}:
            wanted = [record for record in records if record.position > position and topic.covers(record.topic)]
            assert list(map(id, ring.after(topic, position))) == list(map(id, wanted))


def test_a_ring_forgets_what_is_too_much() -> None:
    """Its bytes are bounded however long the log is, and its recent end is always there."""
    ring = Ring(0, limit=64 * 1024)
    for position in range(1, 2001):
        ring.extend([Record(position, position, TOPICS[0], "kind", NOW, b"x" * 1000)])
    kept = [*ring.after(TOPICS[0], ring.floor)]
    assert kept[-1].position == ring.head == 2000
    assert len(kept) >= 16 and sum(len(record.body) for record in kept) <= 64 * 1024
