"""Positions of a log that is spread over shards."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.crc import key_slot

from codetether_adapters.redis.keys import Layout, topic_of, topic_text
from codetether_adapters.redis.positions import covers, is_place, joined, pack, unpack
from codetether_core.events import Cursor, Topic
from codetether_core.ids import TenantId

places = st.integers(0, 2**48 - 1)
vectors = st.integers(1, 64).flatmap(lambda shards: st.tuples(*[places] * shards))
pairs = st.integers(1, 64).flatmap(lambda shards: st.tuples(*[st.tuples(*[places] * shards)] * 2))


@given(vectors)
def test_a_position_is_read_as_it_was_written(vector: tuple[int, ...]) -> None:
    """Also as a cursor; one shard's are plain."""
    position = pack(vector)
    assert unpack(position, len(vector)) == vector and is_place(position, len(vector))
    cursor = Cursor("epoch", position)
    assert Cursor.parse(str(cursor)) == cursor
    assert len(vector) > 1 or (position,) == vector


@given(pairs)
def test_who_has_seen_more_is_further(pair: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    """Integers are ordered as vectors are, where those are ordered; both together are the least that covers both."""
    one, other = pair
    both = joined(one, other)
    assert covers(both, one) and covers(both, other)
    assert pack(both) >= max(pack(one), pack(other))
    assert covers(one, other) == (both == one)


@given(st.integers(2, 64), st.integers(1, 2**63))
def test_what_is_no_vector_lies_behind_everything(shards: int, number: int) -> None:
    """Nought lies before it, so that readers may begin there and end at any great number."""
    assert not is_place(number, shards)
    assert unpack(0, shards) == (0,) * shards
    assert covers(unpack(number, shards), (2**48 - 1,) * shards)


@given(st.lists(st.integers(0, 2**30), min_size=2, max_size=64), st.integers(1, 2**20))
def test_looking_back_from_a_position_looks_back_in_every_shard(places: list[int], back: int) -> None:
    """Whoever reads on from there misses nothing of the last so many; and nothing is after what was never given out."""
    position, shards = pack(tuple(places)), len(places)
    assert unpack(position - back, shards) == tuple(max(place - back, 0) for place in places)
    assert unpack(position + back, shards) == (2**48 - 1,) * shards


@given(st.text(), st.text(), st.text())
def test_a_topic_is_read_as_it_was_written(tenant: str, scope: str, subject: str) -> None:
    """And begins with the wider ones."""
    topic = Topic(TenantId(tenant), scope, subject)
    text, to_scope, to_tenant = topic_text(topic)
    assert topic_of(text) == topic
    assert text[:to_tenant] == topic_text(Topic(TenantId(tenant)))[0]
    if scope:
        assert text[:to_scope] == topic_text(Topic(TenantId(tenant), scope))[0]


@pytest.mark.parametrize("masters", [3, 4, 5, 6, 8, 16])
def test_shards_lie_evenly_on_the_servers(masters: int) -> None:
    """Sixteen shards, on as many servers as share the slots among them; the first one's keys never change."""
    layout = Layout("ct", 16)
    load = Counter(key_slot(layout.key(shard).encode()) * masters // 16384 for shard in layout.every)
    assert len(load) == masters and max(load.values()) <= -(-16 // masters) + 1
    assert {Layout("ct", shards).key(0, "meta") for shards in range(1, 65)} == {"ct:{00}:meta"}
