"""Signatures of the card, as both official clients check them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from codetether_adapters.a2a.card import Profile
from codetether_adapters.a2a.card.release_0_3 import with_release_0_3
from codetether_adapters.a2a.card.release_1_0 import card_of
from codetether_adapters.a2a.card.signing import signatures_of
from codetether_adapters.signing import DetachedEs256
from codetether_apps.settings import Settings
from codetether_apps.wiring.a2a.cards import profile_of
from tests.a2a.clients import node_program, python_program
from tests.a2a.profiles import profiles

Verify: TypeAlias = Callable[[Sequence[tuple[Any, Any]]], list[bool]]

ADDRESS = "https://a.test"
PURPOSE = b"agent card"
OLD, NEW = DetachedEs256([("old", b"o" * 32)], PURPOSE), DetachedEs256([("new", b"n" * 32)], PURPOSE)
BOTH = DetachedEs256([("old", b"o" * 32), ("new", b"n" * 32)], PURPOSE)


@pytest.fixture(scope="module", params=[python_program, node_program], ids=["python", "javascript"])
def verify(request: pytest.FixtureRequest) -> Verify:
    """Whether the official client takes the signatures of cards, each with a set of keys."""
    command = request.param("1.3.0", "verify_card")

    def check(pairs: Sequence[tuple[Any, Any]]) -> list[bool]:
        done = subprocess.run(command, input=json.dumps(pairs), capture_output=True, text=True, check=True)
        return list(json.loads(done.stdout))

    return check


def signed(profile: Profile, signer: DetachedEs256, *, pure: bool = False) -> dict[str, Any]:
    card = card_of(profile, ADDRESS)
    told = card if pure else with_release_0_3(card)
    return told | {"signatures": signatures_of(card, signer, ADDRESS)}


def ours() -> Profile:
    return profile_of(Settings(), {})


@given(each=st.lists(profiles(), min_size=20, max_size=20))
@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_any_card_of_ours_is_taken(verify: Verify, each: list[Profile]) -> None:
    pairs = [(signed(profile, OLD, pure=pure), OLD.keys()) for profile in each for pure in (True, False)]
    assert verify(pairs) == [True] * len(pairs)


def test_who_knows_one_of_the_keys_takes_a_card_that_is_signed_by_both(verify: Verify) -> None:
    """So keys are changed: the new one is added, and the old one goes once all have seen the new one."""
    card = signed(ours(), BOTH)
    alone = signed(ours(), NEW)
    pairs = [(card, OLD.keys()), (card, NEW.keys()), (card, BOTH.keys()), (alone, BOTH.keys()), (alone, OLD.keys())]
    assert verify(pairs) == [True, True, True, True, False]


def test_a_card_that_was_changed_is_not_taken(verify: Verify) -> None:
    card = signed(ours(), OLD)
    other = DetachedEs256([("old", b"x" * 32)], PURPOSE)
    changed: list[Mapping[str, Any]] = [
        card | {"name": "Another"},
        card | {"supportedInterfaces": [{**each, "url": "https://evil.test"} for each in card["supportedInterfaces"]]},
        card | {"skills": [*card["skills"], card["skills"][0] | {"id": "more"}]},
        card | {"capabilities": card["capabilities"] | {"pushNotifications": True}},
        {name: member for name, member in card.items() if name != "securitySchemes"},
        card | {"signatures": signed(ours(), other)["signatures"]},
        card | {"signatures": [{**card["signatures"][0], "protected": "e30"}]},
        card | {"signatures": []},
    ]
    assert verify([(each, OLD.keys()) for each in changed]) == [False] * len(changed)
    assert verify([(card, OLD.keys()), (card, {"keys": []})]) == [True, False]


def test_the_words_of_release_0_3_are_not_signed(verify: Verify) -> None:
    """Both clients of release 1.0 leave them out before they look at the signature."""
    assert verify([(signed(ours(), OLD) | {"protocolVersion": "0.3.1"}, OLD.keys())]) == [True]


def test_a_key_is_the_same_every_time_and_nobody_elses() -> None:
    again = DetachedEs256([("old", b"o" * 32)], PURPOSE)
    assert again.keys() == OLD.keys()
    assert DetachedEs256([("old", b"o" * 32)], b"another purpose").keys() != OLD.keys()
    (unnamed,) = DetachedEs256([("", b"o" * 32)], PURPOSE).keys()["keys"]
    (named,) = OLD.keys()["keys"]
    assert unnamed == named | {"kid": unnamed["kid"]}
