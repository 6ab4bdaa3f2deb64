"""Credentials that we keep: what is shown, what is kept of it, and when it counts."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from codetether_core.access import (
    DEFAULT_TENANT,
    Credential,
    CredentialKind,
    CredentialState,
    Principal,
    Token,
    principal_of,
    revoke,
)
from codetether_core.errors import IllegalTransition, Unauthenticated
from codetether_core.ids import CredentialId, TenantId, WorkerId

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEY = b"k" * 32

tenants = st.one_of(st.just(DEFAULT_TENANT), st.from_regex(r"[a-z0-9][a-z0-9-]{0,62}", fullmatch=True).map(TenantId))
ids = st.from_regex(r"(key|wrk)_[0-9a-z]{1,40}", fullmatch=True).map(CredentialId)
tokens = st.builds(Token.new, tenants, ids, st.binary(min_size=32, max_size=32))


def credential(token: Token, *, expires_at: datetime | None = None) -> Credential:
    return Credential(
        id=token.id,
        tenant=token.tenant,
        kind=CredentialKind.API_KEY,
        name="ci",
        owner="ann",
        roles=frozenset({"editor"}),
        scopes=frozenset({"tasks:*"}),
        worker=WorkerId("w"),
        secret=token.hashed(KEY),
        created_at=NOW,
        expires_at=expires_at,
    )


@given(tokens)
def test_what_is_shown_is_read_as_it_was_made(token: Token) -> None:
    assert Token.parse(str(token)) == token


@given(st.text())
def test_any_other_text_is_none(text: str) -> None:
    token = Token.parse(text)
    assert token is None or Token.parse(str(token)) == token


@given(tokens, tokens)
def test_what_is_kept_tells_one_from_another_and_nothing_of_either(one: Token, other: Token) -> None:
    assert (one.hashed(KEY) == other.hashed(KEY)) == (one == other)
    assert one.hashed(KEY) != one.hashed(b"x" * 32)
    secret = base64.urlsafe_b64decode(f"{one.secret}=")
    assert secret.hex() not in one.hashed(KEY) and one.secret not in one.hashed(KEY)


@given(tokens)
def test_its_bearer_stands_for_its_owner(token: Token) -> None:
    expected = Principal(
        name="ann",
        tenant=token.tenant,
        roles=frozenset({"editor"}),
        scopes=frozenset({"tasks:*"}),
        worker=WorkerId("w"),
        credential=token.id,
        delegated=True,
        expires_at=NOW + timedelta(seconds=1),
    )
    kept = credential(token, expires_at=NOW + timedelta(seconds=1))
    assert principal_of(kept, token, KEY, NOW) == expected
    with pytest.raises(Unauthenticated, match="expired"):
        principal_of(kept, token, KEY, NOW + timedelta(seconds=1))
    with pytest.raises(Unauthenticated, match="revoked"):
        principal_of(revoke(kept, NOW), token, KEY, NOW)


@given(tokens, tokens)
def test_another_secret_hears_nothing_of_what_is_kept(token: Token, other: Token) -> None:
    """Neither that it was revoked nor that its time is over."""
    if other.secret != token.secret:
        for kept in (credential(token), revoke(credential(token), NOW), credential(token, expires_at=NOW)):
            with pytest.raises(Unauthenticated, match=r"^Invalid token$"):
                principal_of(kept, evolve(token, secret=other.secret), KEY, NOW)


def test_what_was_revoked_stays_so() -> None:
    token = Token.new(DEFAULT_TENANT, CredentialId("key_1"), b"s" * 32)
    revoked = revoke(credential(token), NOW)
    assert (revoked.state, revoked.revoked_at, revoked.version) == (CredentialState.REVOKED, NOW, 2)
    with pytest.raises(IllegalTransition):
        revoke(revoked, NOW)


@given(tokens, st.binary(min_size=16, max_size=16))
def test_a_renewing_token_is_known_as_one_when_it_is_used_up(token: Token, random: bytes) -> None:
    """And nobody makes one up."""
    renewing = Token.renewing(token.tenant, token.id, random, KEY)
    assert renewing.is_renewing(KEY) and Token.parse(str(renewing)) == renewing
    assert not renewing.is_renewing(b"x" * 32) and not token.is_renewing(KEY)
    assert not evolve(renewing, id=CredentialId(f"{token.id}0")).is_renewing(KEY)
