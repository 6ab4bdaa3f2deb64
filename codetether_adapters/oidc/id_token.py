"""ID tokens (OpenID Connect Core 1.0, section 3.1.3.7): who signed in, in answer to what we asked."""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from codetether_adapters.oidc.keys import ProviderKeys
from codetether_adapters.oidc.refusals import SignInUnproven
from codetether_adapters.oidc.verifying import verified
from codetether_core.errors import Unauthenticated

__all__ = ["identified"]

_HASHES: Final = {"RS256": hashlib.sha256, "ES256": hashlib.sha256}
"""What ``at_hash`` is made with; Ed25519 has SHA-512 inside."""


async def identified(
    id_token: object, access_token: str, keys: ProviderKeys, *, client_id: str, nonce: str, now: datetime
) -> Mapping[str, Any]:
    """What the token says of who signed in; ``SignInUnproven`` unless it was made for this client and this question."""
    try:
        token = await verified(id_token, keys, [client_id], now) if isinstance(id_token, str) else None
    except Unauthenticated as error:
        raise SignInUnproven(error.message, hint=error.hint) from None
    if token is None:
        raise _unproven("it sent no ID token")
    claims = token.claims
    if not _same(claims.get("nonce"), nonce):
        raise _unproven("the ID token answers another question (nonce)")
    if claims.get("azp", client_id) != client_id:
        raise _unproven("the ID token was made for another client (azp)")
    told = claims.get("at_hash")
    if told is not None and not _same(told, _half_hash(access_token, token.header["alg"])):
        raise _unproven("the ID token belongs to another access token (at_hash)")
    return claims


def _half_hash(text: str, alg: str) -> str:
    digest = _HASHES.get(alg, hashlib.sha512)(text.encode()).digest()
    return urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()


def _same(told: object, expected: str) -> bool:
    return isinstance(told, str) and hmac.compare_digest(told.encode("utf-8", "replace"), expected.encode())


def _unproven(problem: str) -> SignInUnproven:
    return SignInUnproven(f"The identity provider's answer does not count: {problem}", hint="begin again")
