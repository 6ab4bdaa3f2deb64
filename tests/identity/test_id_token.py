"""ID tokens: what a provider's key signed for us, in answer to our question, and nothing else."""

from __future__ import annotations

import time
import warnings
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from hashlib import sha256, sha512
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import OctKey, RSAKey

from codetether_adapters.oidc import OidcTokens, SignInUnproven, open_oidc_tokens
from codetether_adapters.oidc.id_token import identified
from tests.identity.hub import Clock
from tests.servers.identity import IdentityProvider, running

pytestmark = pytest.mark.anyio

ACCESS = "the access token"


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IdentityProvider]:
    with running(tmp_path_factory.mktemp("identity")) as provider:
        yield provider


@pytest.fixture
async def tokens(provider: IdentityProvider) -> AsyncIterator[OidcTokens]:
    async with open_oidc_tokens(provider.issuer, ["codetether"], Clock()) as tokens:
        yield tokens


def half(text: str, digest: Any = sha256) -> str:
    whole = digest(text.encode()).digest()
    return urlsafe_b64encode(whole[: len(whole) // 2]).rstrip(b"=").decode()


def signed(provider: IdentityProvider, key: Any = None, alg: str = "RS256", **claims: Any) -> str:
    """A token by the provider's key, unless by another."""
    usual = {
        "iss": provider.issuer,
        "sub": "ann",
        "aud": "web",
        "exp": int(time.time()) + 60,
        "iat": int(time.time()),
        "nonce": "n",
    }
    present = {name: value for name, value in (usual | claims).items() if value is not None}
    with warnings.catch_warnings(action="ignore", category=SecurityWarning):  # EdDSA is Ed25519's older name
        return jwt.encode({"alg": alg, "kid": "one"}, present, key or provider.keys[0], algorithms=[alg])


async def told(tokens: OidcTokens, token: object) -> Any:
    return await identified(token, ACCESS, tokens.keys, client_id="web", nonce="n", now=datetime.now(UTC))


@pytest.mark.parametrize(
    "claims",
    [{}, {"aud": ["web"]}, {"aud": ["web", "other"], "azp": "web"}, {"at_hash": half(ACCESS)}],
)
async def test_what_was_made_for_us_counts(
    provider: IdentityProvider, tokens: OidcTokens, claims: dict[str, Any]
) -> None:
    assert (await told(tokens, signed(provider, **claims)))["sub"] == "ann"


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "m"},
        {"nonce": None},
        {"nonce": ["n"]},
        {"aud": "other"},
        {"aud": "codetether"},
        {"aud": None},
        {"iss": "https://evil.test"},
        {"exp": 1},
        {"exp": None},
        {"sub": None},
        {"azp": "other"},
        {"at_hash": half("another")},
        {"at_hash": half(ACCESS, sha512)},
        {"at_hash": 1},
        {"at_hash": ""},
    ],
)
async def test_what_was_not_does_not(provider: IdentityProvider, tokens: OidcTokens, claims: dict[str, Any]) -> None:
    with pytest.raises(SignInUnproven):
        await told(tokens, signed(provider, **claims))


async def test_nor_what_somebody_else_signed(provider: IdentityProvider, tokens: OidcTokens) -> None:
    for forged in (
        None,
        "",
        "a.b.c",
        signed(provider, RSAKey.generate_key(2048)),
        signed(provider, OctKey.generate_key(256), "HS256"),
        signed(provider).rpartition(".")[0] + ".",
    ):
        with pytest.raises(SignInUnproven):
            await told(tokens, forged)


async def test_the_hash_goes_with_the_signature(tmp_path: Path) -> None:
    """Ed25519 has SHA-512 inside."""
    with running(tmp_path) as provider:
        provider.stop()
        provider.new_key("one", "EdDSA")
        provider.keys.pop()
        provider.start()
        async with open_oidc_tokens(provider.issuer, ["codetether"], Clock()) as tokens:
            good = signed(provider, alg="EdDSA", at_hash=half(ACCESS, sha512))
            assert (await told(tokens, good))["sub"] == "ann"
            with pytest.raises(SignInUnproven):
                await told(tokens, signed(provider, alg="EdDSA", at_hash=half(ACCESS)))
