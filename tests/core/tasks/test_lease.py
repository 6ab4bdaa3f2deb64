"""The grant: its name, its fence, and for how long it lasts."""

from datetime import datetime, timedelta

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from codetether_core.errors import LeaseRequired, StaleLease
from codetether_core.ids import WorkerId
from codetether_core.tasks import Grant, LeaseTerms, Word
from tests.core.tasks.lives import ANN, HOUR, NOW, SECOND, TERMS, TICK, claimed, grant_of, new, word_of

names = st.sampled_from(["ann", "bob", "", "ann "])
moments = st.integers(0, 2 * 3_600_000_000).map(lambda microseconds: NOW + microseconds * TICK)


def grant(*, tokened: bool = True) -> Grant:
    return grant_of(claimed(new(), tokened=tokened))


def test_a_token_names_the_grant_by_number_and_nonce() -> None:
    assert grant().token == "1.nonce1"


@given(st.integers(1, 3), st.sampled_from(["aa", "bb"]))
def test_only_the_same_number_with_the_same_nonce_passes(number: int, nonce: str) -> None:
    """A store that was restored may count the same number twice, a nonce never repeats; so both are compared."""
    current = evolve(grant(), number=2, nonce="aa")
    shown = evolve(current, number=number, nonce=nonce)
    if (number, nonce) == (2, "aa"):
        current.fence(word_of(shown))
    else:
        with pytest.raises(StaleLease) as refused:
            current.fence(word_of(shown))
        assert "claim again" in refused.value.hint


@pytest.mark.parametrize("token", ["", " 1.nonce1", "1.nonce1 ", "1.NONCE1", "1", "nonce1", "1.", ".", "1.nonce"])
def test_a_token_is_compared_whole(token: str) -> None:
    """An empty token is a wrong one, not a missing one: no proxy that blanks a header may open the fence."""
    for tokened in (True, False):
        with pytest.raises(StaleLease):
            grant(tokened=tokened).fence(Word(worker=ANN, principal="principal of ann", token=token))


def test_a_worker_of_the_same_name_is_not_the_holder() -> None:
    """A restarted pod has the same name and the same credential; only the token tells the two runs apart."""
    with pytest.raises(LeaseRequired):
        grant().fence(Word(worker=ANN, principal="principal of ann"))


def test_the_token_is_enough_whoever_shows_it() -> None:
    """A worker may renew its credential in the middle of a run, and be another principal from then on."""
    grant().fence(Word(worker=WorkerId("zoe"), principal="somebody", token="1.nonce1"))


@given(names, names)
def test_without_a_token_the_fence_is_the_pair_of_principal_and_worker(worker: str, principal: str) -> None:
    """Deployed 1.4.3 workers have no token; neither part alone is enough, as both are easily the same elsewhere."""
    old = evolve(grant(tokened=False), worker=WorkerId("ann"), principal="bob")
    said = Word(worker=WorkerId(worker), principal=principal)
    if (worker, principal) == ("ann", "bob"):
        old.fence(said)
    else:
        with pytest.raises(StaleLease) as refused:
            old.fence(said)
        assert refused.value.details == {"holder": "ann"}


@given(moments, moments, st.integers(0, 2 * 3_600_000_000))
def test_a_renewal_only_ever_extends_and_never_past_the_runs_deadline(
    now: datetime, expires_at: datetime, ttl: int
) -> None:
    """The run's deadline ends a run that renews for ever; a clock that stepped back takes nothing away."""
    run_deadline = NOW + HOUR
    lease = evolve(grant(), expires_at=min(expires_at, run_deadline), run_deadline=run_deadline)
    extended = lease.extended(now, LeaseTerms(ttl=ttl * TICK))
    assert lease.expires_at <= extended <= run_deadline
    assert extended == max(lease.expires_at, min(now + ttl * TICK, run_deadline))


@pytest.mark.parametrize(
    ("before_the_deadline", "gained"), [(61 * SECOND, 60 * SECOND), (60 * SECOND, 60 * SECOND), (TICK, TICK)]
)
def test_near_its_deadline_a_run_is_renewed_up_to_it(before_the_deadline: timedelta, gained: timedelta) -> None:
    lease = grant()
    now = lease.run_deadline - before_the_deadline
    assert lease.extended(now, TERMS) == now + gained


def test_the_default_terms() -> None:
    """What the design says operators get who set nothing."""
    terms = LeaseTerms()
    assert (terms.ttl, terms.run_timeout, terms.silence) == (60 * SECOND, 24 * HOUR, HOUR / 2)
