"""Whatever is done to a chain that was sealed is found, and the record named that it was done to."""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from itertools import accumulate
from types import FrameType
from typing import Any

import pytest
from attrs import asdict
from hypothesis import given
from hypothesis import strategies as st

from codetether_adapters.signing import Ed25519
from codetether_core.audit import (
    CHECKPOINT,
    FILED,
    Filing,
    FlawKind,
    LateSeal,
    Link,
    digest_of,
    following,
    line_of,
    link_of,
)
from codetether_core.errors import Invalid
from tests.audit.chains import GENESIS, Made, checked, found, renumbered

groups = st.lists(st.integers(1, 5), min_size=1, max_size=4)
chains = st.builds(Made.of, groups, st.integers(0, 3))


def sealed(made: Made, data: st.DataObject) -> int:
    """The place of a record that a checkpoint vouches for, and that is none itself."""
    places = [at for at, link in enumerate(made.links[: made.sealed]) if b"checkpoint" not in link.body]
    return data.draw(st.sampled_from(places))


@given(chains)
def test_an_honest_chain_has_no_flaws(made: Made) -> None:
    walk = checked(made.links, len(made.links))
    assert walk.flaws == []
    assert (walk.records, walk.sealed) == (len(made.links), made.sealed)


@given(chains, st.data())
def test_a_changed_byte_is_found(made: Made, data: st.DataObject) -> None:
    at = sealed(made, data)
    body = bytearray(made.links[at].body)
    body[data.draw(st.integers(0, len(body) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    made.links[at] = Link(at + 1, bytes(body))
    flaws = found(made.links)
    assert (FlawKind.EDITED, at + 1, at + 1) in flaws and {first for _, first, _ in flaws} == {at + 1}


@given(chains, st.data())
def test_a_dropped_record_is_found(made: Made, data: st.DataObject) -> None:
    """Even where all that follow got other numbers."""
    at = sealed(made, data)
    del made.links[at]
    assert found(made.links) == [(FlawKind.MISSING, at + 1, at + 1)]
    assert found(renumbered(made.links))


@given(chains, st.data())
def test_two_that_changed_places_are_found(made: Made, data: st.DataObject) -> None:
    """In a file as lines in the wrong order; in a store as one another's number."""
    first, second = sorted((sealed(made, data), sealed(made, data)))
    if first == second:
        return
    links = [*made.links]
    links[first], links[second] = links[second], links[first]
    assert {(kind, number) for kind, number, _ in found(links)} >= {(FlawKind.REORDERED, first + 1)}
    numbers = {number for _, number, _ in found(renumbered(links))}
    assert numbers >= {first + 1, second + 1}


@given(chains, st.data())
def test_a_cut_tail_is_found_back_to_what_is_known_elsewhere(made: Made, data: st.DataObject) -> None:
    """By the store's own count, or a head that somebody kept."""
    whole, head = len(made.links), made.head
    kept = data.draw(st.integers(0, whole - 1))
    links = made.links[:kept]
    assert found(links, whole) == [(FlawKind.TRUNCATED, kept + 1, whole)]
    assert found(links, known={whole: head}) == [(FlawKind.TRUNCATED, kept + 1, whole)]


@given(groups)
def test_a_history_written_anew_is_found(sizes: list[int]) -> None:
    """Its checkpoints are signed with another key, or lead to another head than the one that was kept."""
    honest, forger = Made.of(sizes), Ed25519(b"f" * 32, b"test")
    anew = Made()
    anew.add({"action": "nothing to see here", "tenant": "default"})
    anew.write(sum(sizes) + len(sizes) - 1)
    known = {len(honest.links): honest.head}
    assert (FlawKind.DIVERGED, len(honest.links), len(honest.links)) in found(anew.links, known=known)
    anew.seal(forger)
    assert (FlawKind.FOREIGN, len(anew.links), len(anew.links)) in found(anew.links)


def test_a_forged_checkpoint_vouches_for_nothing() -> None:
    made = Made.of([3])
    record = json.loads(made.links[3].body)
    record["metadata"]["head"] = bytes(32).hex()
    made.links[3] = Link(4, json.dumps(record).encode())
    walk = checked(made.links)
    assert [(flaw.kind, flaw.first) for flaw in walk.flaws] == [(FlawKind.FORGED, 4)]
    assert walk.sealed == 0


def test_a_repeated_record_is_found() -> None:
    made = Made.of([3], after=2)
    assert found([*made.links[:2], made.links[1], *made.links[2:]]) == [(FlawKind.REPEATED, 2, 2)]


def test_a_chain_may_begin_where_a_checkpoint_vouches_for_what_was_before() -> None:
    """What was filed away, as the trail itself says, is not missed; anything else is."""
    made = Made.of([3, 4, 2], after=1)
    assert found(made.links[3:]) == [(FlawKind.MISSING, 1, 3)]  # record 4 seals them
    filing = Filing("c.0", 1, 3, "b")
    made.add({"action": FILED, "tenant": "default", "metadata": asdict(filing)})
    assert found(made.links[3:]) == [(FlawKind.MISSING, 1, 3)]  # it is not sealed yet
    made.seal()
    assert found(made.links[3:]) == []
    assert checked(made.links[3:]).filed == [filing]
    assert found(made.links[5:])[0] == (FlawKind.MISSING, 1, 5)


def test_a_wrong_number_costs_no_time() -> None:
    """A gap is told as one, however wide."""
    made = Made.of([2], after=1)
    made.links[-1] = Link(10**15, made.links[-1].body)
    assert found(made.links) == [(FlawKind.MISSING, 4, 10**15 - 1)]


@given(chains)
def test_a_line_is_the_record_byte_for_byte(made: Made) -> None:
    head = GENESIS
    for link in made.links:
        head = following(head, [digest_of(link.body)])
        line = line_of("c.0", link, head)
        assert link_of(line) == ("c.0", link, head)
        assert json.loads(line).items() >= json.loads(link.body).items()


def test_a_filing_excuses_nothing_that_no_checkpoint_vouches_for() -> None:
    """Nor one that is about another chain."""
    for metadata in (
        {"chain": "c.0", "first": 1, "last": 3, "blob": "b"},
        {"chain": "other", "first": 1, "last": 3, "blob": "b"},
    ):
        made = Made.of([3, 4], after=1)
        if metadata["chain"] == "other":
            made.add({"action": FILED, "tenant": "default", "metadata": metadata})
            made.seal()
        links = [*made.links[3:]]
        if metadata["chain"] == "c.0":
            links.append(Link(len(made.links) + 1, json.dumps({"action": FILED, "metadata": metadata}).encode()))
        assert (FlawKind.MISSING, 1, 3) in found(links)


def test_another_tenants_chain_is_not_this_ones() -> None:
    """All tenants of a store have chains of the same name, sealed with the same key."""
    made = Made.of([2])
    assert {kind for kind, _, _ in found(made.links, tenant="acme")} == {FlawKind.MISPLACED}


def test_a_chain_that_was_signed_is_signed_from_then_on() -> None:
    """What was sealed before there was a key is vouched for by the first that is signed."""
    nobody = Ed25519(None, b"")
    made = Made()
    made.write(2)
    made.seal(nobody)
    made.write(1)
    made.sealed = 0
    made.seal()
    assert found(made.links) == []
    made.write(1)
    made.seal(nobody)
    assert found(made.links) == [(FlawKind.FOREIGN, len(made.links), len(made.links))]


@pytest.mark.parametrize(
    "record",
    [
        {"action": FILED, "metadata": {"chain": "c.0", "last": {}, "blob": "b"}},
        {"action": FILED},
        {"action": CHECKPOINT, "metadata": {"since": float("inf")}},
        {"action": CHECKPOINT, "metadata": []},
        {"action": ["x"]},
        [],
        "text",
        None,
    ],
)
def test_a_record_that_makes_no_sense_is_named(record: object) -> None:
    """Whatever somebody put in the place of one."""
    made = Made.of([3])
    made.links[1] = Link(2, json.dumps(record).encode())
    assert (FlawKind.EDITED, 2, 2) in found(made.links)
    nested = Link(2, b'{"action":' + b"[" * 100_000 + b"}")
    made.links[1] = nested
    assert (FlawKind.EDITED, 2, 2) in found(made.links)


def test_no_line_has_a_number_below_one() -> None:
    line = line_of("c.0", Link(1, b'{"a":1}'), GENESIS)
    with pytest.raises(Invalid):
        link_of(line.replace(b'"number":1', b'"number":0'))


def test_what_was_sealed_late_is_told() -> None:
    """By what its records say; a checkpoint that waits for the next one is nothing to tell of."""
    made = Made()
    for day, records, delay in ((1, 2, "00:59"), (2, 1, "01:01"), (5, 1, "00:00")):
        for _ in range(records):
            at = f"2026-01-0{day}T00:00:00.000000Z"
            made.add({"action": "task.created", "tenant": "default", "timestamp": at})
        made.seal(at=f"2026-01-0{day}T{delay}:00.000000Z")
    made.add({"action": "task.created", "tenant": "default", "timestamp": "nonsense"})
    made.seal(at="2027-01-01T00:00:00.000000Z")
    walk = checked(made.links)
    assert walk.flaws == []
    assert walk.late == [LateSeal("c.0", 4, 4, timedelta(minutes=61))]


def creeping(size: int, *, sound: bool) -> list[Link]:
    """So many records, and then a checkpoint for each of them."""
    made = Made()
    made.write(size)
    heads = [*accumulate(made.links, lambda head, link: following(head, [digest_of(link.body)]), initial=GENESIS)][1:]
    for since, (link, head) in enumerate(zip(tuple(made.links), heads, strict=True)):
        digest, head = (digest_of(link.body), head) if sound else (bytes(32), bytes(32))
        made.add_checkpoint(since, head, [digest])
    return made.links


def lines_run(links: list[Link]) -> int:
    """How many lines of Python it takes to check them."""
    count = 0

    def trace(frame: FrameType, event: str, of: object) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        checked(links)
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("sound", [True, False])
def test_many_checkpoints_cost_no_more_for_each_than_few(sound: bool) -> None:
    """A file of them would keep whoever looks at it busy for days."""
    assert (found(creeping(50, sound=sound)) == []) is sound
    assert lines_run(creeping(400, sound=sound)) < 2.3 * lines_run(creeping(200, sound=sound))
