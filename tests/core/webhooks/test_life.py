"""A webhook's life: by the table alone, at the exact moments, and never against what the receiver has."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from codetether_core import codec
from codetether_core.errors import Conflict, IllegalTransition, Invalid
from codetether_core.events import Cursor
from codetether_core.webhooks import (
    GIVE_UP_AFTER,
    TRANSITIONS,
    Target,
    Trigger,
    Webhook,
    WebhookState,
    backoff,
    begin,
    checked_target,
    configured,
    delivered,
    failed,
    finish,
    give_up,
    relocated,
    renew,
    rest,
    revive,
)
from contracts.ports.samples import MICROSECOND, NOW, SECOND
from contracts.ports.webhook_store import new_webhook

TTL = 60 * SECOND
PLACE = Cursor("epoch", 7)
VERBS: dict[Trigger, Callable[[Webhook], Webhook]] = {
    Trigger.CONFIGURE: lambda webhook: configured(webhook, new_webhook()),
    Trigger.BEGIN: lambda webhook: begin(webhook, NOW + 365 * 24 * 3600 * SECOND, TTL),
    Trigger.RENEW: lambda webhook: renew(webhook, PLACE, NOW, TTL),
    Trigger.DELIVER: lambda webhook: delivered(webhook, PLACE, 3, "working", NOW, TTL),
    Trigger.REST: lambda webhook: rest(webhook, PLACE, NOW, NOW),
    Trigger.FAIL: lambda webhook: failed(webhook, "no", 0.5, NOW),
    Trigger.FINISH: lambda webhook: finish(webhook, PLACE, 4, "completed", NOW),
    Trigger.GIVE_UP: lambda webhook: give_up(webhook, "gone", NOW),
    Trigger.REVIVE: lambda webhook: revive(webhook, NOW),
}
IN_STATE = {
    WebhookState.ACTIVE: new_webhook(),
    WebhookState.DELIVERING: begin(new_webhook(), NOW, TTL),
    WebhookState.DONE: finish(begin(new_webhook(), NOW, TTL), PLACE, 1, "completed", NOW),
    WebhookState.DEAD: give_up(begin(new_webhook(), NOW, TTL), "gone", NOW),
}


@given(st.sampled_from(WebhookState), st.sampled_from(Trigger))
def test_the_table_alone_says_what_is_possible(state: WebhookState, trigger: Trigger) -> None:
    """Every verb changes the version by one, leads where the table says, and is refused otherwise."""
    webhook = IN_STATE[state]
    if (state, trigger) in TRANSITIONS:
        new = VERBS[trigger](webhook)
        assert (new.state, new.version) == (TRANSITIONS[state, trigger], webhook.version + 1)
        assert (new.due is None) == (new.state in (WebhookState.DONE, WebhookState.DEAD))
    else:
        with pytest.raises(IllegalTransition):
            VERBS[trigger](webhook)


def test_nobody_begins_before_the_lease_is_over() -> None:
    held = begin(new_webhook(), NOW, TTL)
    with pytest.raises(Conflict):
        begin(held, NOW + TTL - MICROSECOND, TTL)
    assert begin(held, NOW + TTL, TTL).due == NOW + 2 * TTL
    with pytest.raises(Conflict):
        begin(new_webhook(), NOW - MICROSECOND, TTL)


def test_it_is_given_up_after_a_day_without_an_answer() -> None:
    """Of failing: what was taken in between begins the count anew."""
    first = failed(begin(new_webhook(), NOW, TTL), "no", 0.0, NOW)
    later = NOW + GIVE_UP_AFTER
    assert failed(begin(first, later, TTL), "no", 0.0, later - MICROSECOND).state is WebhookState.ACTIVE
    assert failed(begin(first, later, TTL), "no", 0.0, later).state is WebhookState.DEAD
    taken = rest(delivered(begin(first, later, TTL), PLACE, 1, "", later, TTL), PLACE, later, later)
    assert failed(begin(taken, later, TTL), "no", 0.0, later).attempts == 1
    revived = revive(failed(begin(first, later, TTL), "no", 0.0, later), later)
    assert failed(begin(revived, later, TTL), "no", 0.0, later).state is WebhookState.ACTIVE


@given(st.integers(1, 500), st.floats(0, 1, exclude_max=True))
def test_attempts_are_a_second_to_an_hour_apart(attempts: int, draw: float) -> None:
    """Ever further, and not all of them at once."""
    wait = backoff(attempts, draw)
    assert timedelta(seconds=1) <= wait <= timedelta(hours=1)
    assert backoff(attempts + 1, draw) >= wait
    assert backoff(attempts, 0.0) <= wait <= 2 * backoff(attempts, 0.0)
    assert backoff(1, 0.0) == timedelta(seconds=1)


def test_in_another_store_all_is_told_again() -> None:
    """What is done or given up stays so."""
    held = delivered(begin(new_webhook(), NOW, TTL), PLACE, 3, "working", NOW, TTL)
    moved = relocated(held, NOW + SECOND)
    assert (moved.state, moved.due, moved.after) == (WebhookState.ACTIVE, NOW + SECOND, None)
    for state in (WebhookState.DONE, WebhookState.DEAD):
        assert relocated(IN_STATE[state], NOW) is IN_STATE[state]


class Life(RuleBasedStateMachine):
    """Two who deliver, each with the value that it last saw; only a swap of the present version counts."""

    @initialize()
    def is_kept(self) -> None:
        self.kept = new_webhook()
        self.now = NOW
        self.seen = [self.kept, self.kept]
        self.numbers: list[int] = []

    @rule(who=st.integers(0, 1))
    def looks(self, who: int) -> None:
        self.seen[who] = self.kept

    @rule(microseconds=st.integers(-1, 1))
    def time_reaches_what_is_due(self, microseconds: int) -> None:
        if self.kept.due is not None:
            self.now = max(self.now, self.kept.due + microseconds * MICROSECOND)

    @rule(who=st.integers(0, 1))
    def begins(self, who: int) -> None:
        try:
            self.swap(who, begin(self.seen[who], self.now, TTL))
        except Conflict:
            old = self.seen[who]
            assert old.due is None or old.due > self.now

    @rule(who=st.integers(0, 1), last=st.booleans())
    def is_taken(self, who: int, last: bool) -> None:
        old = self.seen[who]
        if old.state is WebhookState.DELIVERING:
            number = old.number + 1
            if last:
                new = finish(old, PLACE, number, "", self.now)
            else:
                new = delivered(old, PLACE, number, "", self.now, TTL)
            if self.swap(who, new):
                self.numbers.append(old.number + 1)

    @rule(who=st.integers(0, 1), draw=st.floats(0, 1, exclude_max=True))
    def is_not_taken(self, who: int, draw: float) -> None:
        if self.seen[who].state is WebhookState.DELIVERING:
            self.swap(who, failed(self.seen[who], "no", draw, self.now))

    @rule(who=st.integers(0, 1))
    def rests(self, who: int) -> None:
        if self.seen[who].state is WebhookState.DELIVERING:
            self.swap(who, rest(self.seen[who], None, self.now, self.now))

    @precondition(lambda self: self.kept.state is WebhookState.DEAD)
    @rule()
    def is_revived(self) -> None:
        self.kept = revive(self.kept, self.now)

    @rule()
    def is_configured_anew(self) -> None:
        self.kept = configured(self.kept, new_webhook(due=self.now))
        self.numbers = []

    def swap(self, who: int, new: Webhook) -> bool:
        if self.seen[who].version != self.kept.version:
            return False
        self.kept = self.seen[who] = new
        return True

    @invariant()
    def what_was_noted_as_taken_is_in_order(self) -> None:
        """Each once, whoever brought it."""
        if hasattr(self, "kept"):
            assert self.numbers == [*range(1, self.kept.number + 1)]
            assert codec.load(Webhook, codec.dump(self.kept)) == self.kept


TestLife = Life.TestCase


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://Hooks.Example/A?b=@c#d", "https://hooks.example/A?b=@c"),
        ("http://0x7f.1:80", "http://127.0.0.1:80"),
        ("http://[::1]/", "http://[::1]/"),
    ],
)
def test_urls_are_written_in_one_way(url: str, kept: str) -> None:
    assert checked_target(Target(url=url)).url == kept


@pytest.mark.parametrize(
    "url", ["", "hooks.example/a", "//hooks.example", "http://a@b/", "https://a:b@c/", "gopher://a/"]
)
def test_what_is_no_url_to_post_to(url: str) -> None:
    with pytest.raises(Invalid) as refused:
        checked_target(Target(url=url))
    assert refused.value.field == "url"
