"""Identifiers: sortable, unguessable, and derived without ambiguity."""

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from codetether_core.ids import CodebaseId, TenantId, derived_id, digest, new_id, room_in, room_of

MILLISECOND = timedelta(milliseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
moments = st.timedeltas(timedelta(0), timedelta(days=365 * 1000)).map(lambda age: EPOCH + age)
entropy = st.binary(min_size=16, max_size=16)
texts = st.lists(st.text(max_size=4) | st.sampled_from(["", ":", "1:", "1:a", "\ud800"]), max_size=4)


@given(moments, entropy)
def test_an_id_is_short_lower_case_text_fit_for_a_path(now: datetime, random: bytes) -> None:
    """No letter that reads like another, nothing to quote in a URL, a file name or a shell."""
    assert re.fullmatch("tsk_[0-9a-hjkmnp-tv-z]{36}", new_id("tsk", now, random))


@given(moments, moments, entropy, entropy)
@example(datetime(2026, 1, 1, 0, 0, 0, 1000, UTC), datetime(2026, 1, 1, 0, 0, 0, 999, UTC), bytes(16), b"\xff" * 16)
def test_ids_sort_by_the_millisecond_of_their_creation(
    one: datetime, other: datetime, random: bytes, more: bytes
) -> None:
    ids = new_id("tsk", one, random), new_id("tsk", other, more)
    at = (one - EPOCH) // MILLISECOND, (other - EPOCH) // MILLISECOND
    if at[0] != at[1]:
        assert (ids[0] < ids[1]) == (at[0] < at[1])


@given(moments, entropy, entropy)
def test_every_bit_of_the_entropy_is_in_the_id(now: datetime, random: bytes, more: bytes) -> None:
    """At least 122 bits that nobody can guess: an id is what a link or a log line gives away."""
    assert (new_id("tsk", now, random) == new_id("tsk", now, more)) == (random == more)


@pytest.mark.parametrize("bit", range(128))
def test_each_single_bit_counts(bit: int) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert new_id("tsk", now, (1 << bit).to_bytes(16)) != new_id("tsk", now, bytes(16))


@pytest.mark.parametrize("count", [0, 1, 15, 17, 32])
def test_an_id_with_less_entropy_is_not_made(count: int) -> None:
    with pytest.raises(ValueError, match=f"16 bytes of entropy, not {count}"):
        new_id("tsk", datetime(2026, 1, 1, tzinfo=UTC), bytes(count))


def test_the_zone_of_the_clock_does_not_matter() -> None:
    utc = datetime(2026, 1, 1, tzinfo=UTC)
    local = utc.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert new_id("tsk", utc, bytes(16)) == new_id("tsk", local, bytes(16))


def test_a_golden_id() -> None:
    """Ids are in stores and in links; the way they are written cannot change."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert new_id("tsk", now, bytes(range(16))) == "tsk_01kdvdna0000041061050r3gg28a1c60t3gf"
    assert derived_id("tsk", "default", "carol", "key") == "tsk_x1en97vavqwjky77nhwbxqka6bb718rhj723n"
    assert digest("default", "cb_1") == "6a2085f551f4fd042838fd9e16a02084"


@given(texts, texts)
@example(["a", "b"], ["ab"])
@example(["a", "b"], ["ab", ""])
@example(["1:a"], ["a", ""])
@example([], [""])
def test_the_same_scope_gives_the_same_id_and_no_other_does(one: list[str], other: list[str]) -> None:
    """A second submit meets the first through it; two keys that run together alike must not meet."""
    assert (derived_id("tsk", *one) == derived_id("tsk", *other)) == (one == other)
    assert (digest(*one) == digest(*other)) == (one == other)


@given(texts, moments, entropy)
def test_a_derived_id_is_never_a_fresh_one(scope: list[str], now: datetime, random: bytes) -> None:
    """So a client cannot choose a key that hits somebody's task."""
    derived = derived_id("tsk", *scope)
    assert re.fullmatch("tsk_x[0-9a-hjkmnp-tv-z]{36}", derived)
    assert not new_id("tsk", now, random).startswith("tsk_x")


def test_an_id_says_in_which_room_it_is() -> None:
    """A store that spreads its data finds a task by its id."""
    room = room_of(TenantId("default"), CodebaseId("cbs_1"))
    fresh, derived = new_id("tsk", EPOCH, bytes(16), room=room), derived_id("tsk", "k", room=room)
    assert room_in(fresh) == room_in(derived) == room_in(room)
    assert 0 <= room_in("no id at all!") < 1024


@given(st.text(), st.text())
def test_rooms_are_numbers_below_1024(tenant: str, codebase: str) -> None:
    """Two characters of the ids' alphabet."""
    room = room_of(TenantId(tenant), CodebaseId(codebase))
    assert re.fullmatch("[0-9a-hjkmnp-tv-z]{2}", room)
    assert 0 <= room_in(room) < 1024
