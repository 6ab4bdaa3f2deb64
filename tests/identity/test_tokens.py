"""What a real provider issued counts; what anybody made up, changed or kept too long does not."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from attrs import define
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from codetether_adapters.oidc import ClaimMapping, OidcTokens, open_oidc_tokens
from codetether_core.errors import Unauthenticated, Unavailable
from codetether_core.ids import TenantId
from tests.servers.identity import IdentityProvider, running

pytestmark = pytest.mark.anyio


DEEP = urlsafe_b64encode(b"[" * 20_000).decode()


@define(eq=False)
class Clock:
    """This machine's, moved."""

    moved: timedelta = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.moved

    async def sleep(self, duration: timedelta) -> None:
        self.moved += duration


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IdentityProvider]:
    with running(tmp_path_factory.mktemp("identity")) as provider:
        yield provider


@asynccontextmanager
async def opened(
    provider: IdentityProvider, clock: Clock | None = None, mapping: ClaimMapping | None = None
) -> AsyncIterator[OidcTokens]:
    async with open_oidc_tokens(provider.issuer, ["codetether"], clock or Clock(), mapping) as tokens:
        yield tokens


async def test_a_token_stands_for_its_subject_at_its_issuer(provider: IdentityProvider) -> None:
    """With the roles that are ours, and those that the settings or the deployed system call otherwise."""
    mapping = ClaimMapping(roles={"platform": "operator"}, tenant_at="org.tenant")
    async with opened(provider, mapping=mapping) as tokens:
        token = provider.token(roles="editor,platform,a2a-admin,root,/team/viewer", tenant="acme")
        principal = await tokens.authenticate(token)
    assert principal is not None
    assert (principal.name, principal.tenant) == (f"robot@{provider.issuer}", TenantId("acme"))
    assert principal.roles == {"editor", "operator", "admin", "viewer"}
    assert principal.expires_at is not None and principal.expires_at > datetime.now(UTC)


@pytest.mark.parametrize("tenant", ["", "Acme", "a/b", "default "])
async def test_a_tenant_that_is_none_is_refused(provider: IdentityProvider, tenant: str) -> None:
    """Nobody falls into another tenant for want of one."""
    async with opened(provider, mapping=ClaimMapping(tenant_at="org.tenant")) as tokens:
        with pytest.raises(Unauthenticated, match=r"claim org\.tenant"):
            await tokens.authenticate(provider.token(roles="editor", tenant=tenant))


@pytest.mark.parametrize(
    "text", ["", "x", "a.b", "a.b.c", "...", "ct_key_0.x", "e30.e30", "W10.e30.x", f"{DEEP}.e30.x"]
)
async def test_what_is_no_token_of_this_kind_is_left_to_others(provider: IdentityProvider, text: str) -> None:
    async with opened(provider) as tokens:
        assert await tokens.authenticate(text) is None


def claims_of(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    claims: dict[str, Any] = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims


def signed(token: str, key: Any, alg: str, **claims: Any) -> str:
    """The token as somebody else signs it."""
    return jwt.encode({"alg": alg, "kid": "one"}, claims_of(token) | claims, key, algorithms=[alg])


def unsigned(token: str, alg: str) -> str:
    header = urlsafe_b64encode(json.dumps({"alg": alg, "kid": "one"}).encode()).rstrip(b"=").decode()
    return f"{header}.{token.split('.')[1]}."


def with_its_public_key_as_a_secret(provider: IdentityProvider, token: str) -> str:
    """The old confusion of algorithms."""
    key = provider.keys[0]
    assert isinstance(key, RSAKey)
    public = key.as_pem(private=False)
    body = ".".join(
        urlsafe_b64encode(part).rstrip(b"=").decode()
        for part in (b'{"alg":"HS256","kid":"one"}', json.dumps(claims_of(token)).encode())
    )
    mac = hmac.new(public, body.encode(), hashlib.sha256).digest()
    return f"{body}.{urlsafe_b64encode(mac).rstrip(b'=').decode()}"


Forge = Callable[[IdentityProvider, str], str]

FORGED: dict[str, Forge] = {
    "none": lambda provider, token: unsigned(token, "none"),
    "None": lambda provider, token: unsigned(token, "None"),
    "stripped": lambda provider, token: token.rpartition(".")[0] + ".",
    "hs256": lambda provider, token: signed(token, OctKey.generate_key(256), "HS256"),
    "hs256-with-the-public-key": with_its_public_key_as_a_secret,
    "another-key": lambda provider, token: signed(token, RSAKey.generate_key(2048), "RS256"),
    "other-claims": lambda provider, token: ".".join(
        (
            token.split(".")[0],
            urlsafe_b64encode(json.dumps(claims_of(token) | {"sub": "root"}).encode()).rstrip(b"=").decode(),
            token.split(".")[2],
        )
    ),
    "another-signature": lambda provider, token: token[:-8] + ("AAAAAAAA" if token[-8:] != "AAAAAAAA" else "BBBBBBBB"),
    "ps512": lambda provider, token: signed(
        token, RSAKey.import_key(provider.keys[0].as_dict(private=True) | {"alg": "PS512"}), "PS512"
    ),
    "another-issuer": lambda provider, token: signed(token, provider.keys[0], "RS256", iss="https://elsewhere"),
    "another-audience": lambda provider, token: signed(token, provider.keys[0], "RS256", aud="billing"),
    "no-audience": lambda provider, token: signed(token, provider.keys[0], "RS256", aud=None),
    "no-end": lambda provider, token: signed(token, provider.keys[0], "RS256", exp=None),
    "no-subject": lambda provider, token: signed(token, provider.keys[0], "RS256", sub=None),
    "a-subject-that-is-a-number": lambda provider, token: signed(token, provider.keys[0], "RS256", sub=1),
    "not-yet": lambda provider, token: signed(token, provider.keys[0], "RS256", nbf=int(time.time()) + 120),
    "from-the-future": lambda provider, token: signed(token, provider.keys[0], "RS256", iat=int(time.time()) + 120),
    "over": lambda provider, token: signed(token, provider.keys[0], "RS256", exp=int(time.time()) - 60),
    "an-end-that-is-text": lambda provider, token: signed(token, provider.keys[0], "RS256", exp="tomorrow"),
    "an-id-token": lambda provider, token: signed(token, provider.keys[0], "RS256", typ="ID"),
    "an-end-beyond-time": lambda provider, token: signed(token, provider.keys[0], "RS256", exp=10**30),
}


@pytest.mark.parametrize("forge", FORGED)
async def test_what_the_provider_did_not_issue_like_this_is_refused(provider: IdentityProvider, forge: str) -> None:
    token = provider.token(roles="admin")
    async with opened(provider) as tokens:
        assert await tokens.authenticate(token) is not None
        with pytest.raises(Unauthenticated) as refused:
            await tokens.authenticate(FORGED[forge](provider, token))
    assert token.split(".")[2] not in str(refused.value)


async def test_a_real_token_for_somebody_else_is_refused(provider: IdentityProvider) -> None:
    async with opened(provider) as tokens:
        with pytest.raises(Unauthenticated):
            await tokens.authenticate(provider.token(audience="urn:billing"))


async def test_a_token_that_is_over_is_refused_a_moment_later(provider: IdentityProvider) -> None:
    """Clocks may differ by half a minute."""
    clock = Clock()
    token = provider.token()
    async with opened(provider, clock) as tokens:
        clock.moved = timedelta(seconds=620)
        assert await tokens.authenticate(token) is not None
        clock.moved = timedelta(seconds=635)
        with pytest.raises(Unauthenticated):
            await tokens.authenticate(token)


@pytest.mark.parametrize("alg", ["ES256", "EdDSA"])
async def test_keys_change_while_everything_runs(tmp_path: Path, alg: str) -> None:
    """A token by a new key has the keys fetched, once; one by the old key counts for as long as it is published."""
    with running(tmp_path) as provider:
        old = provider.token()
        async with opened(provider) as tokens:
            tokens.keys._now = lambda: passed
            passed = 0.0
            assert await tokens.authenticate(old) is not None
            provider.stop()
            provider.new_key("two", alg)
            provider.start()
            new = provider.token()
            with pytest.raises(Unauthenticated):  # it was asked a moment ago
                await tokens.authenticate(new)
            passed += 5.0
            assert await tokens.authenticate(new) is not None
            assert await tokens.authenticate(old) is not None
            provider.stop()
            provider.keys.pop()
            provider.start()
            passed += 300.0
            assert await tokens.authenticate(new) is not None
            with pytest.raises(Unauthenticated):
                await tokens.authenticate(old)


async def test_a_provider_that_is_away_costs_nobody_whose_key_is_known(tmp_path: Path) -> None:
    """A key that is not known is refused, and known when the provider is back."""
    with running(tmp_path) as provider:
        old = provider.token()
        async with opened(provider) as tokens, opened(provider) as others:
            assert await tokens.authenticate(old) is not None
            provider.new_key("two")
            provider.stop()
            provider.start()
            new = provider.token()
            provider.stop()
            tokens.keys._now = lambda: 1e9
            assert await tokens.authenticate(old) is not None
            with pytest.raises(Unavailable, match="does not answer"):
                await others.authenticate(old)
            tokens.keys._now = lambda: 2e9
            with pytest.raises(Unavailable, match="does not answer"):
                await tokens.authenticate(new)
            provider.start()
            tokens.keys._now = lambda: 3e9
            assert await tokens.authenticate(new) is not None
