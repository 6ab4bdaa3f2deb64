"""Other people's signatures: detached JWS (RFC 7515, appendix F)."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any, Final

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

__all__ = ["is_signed"]

_ALGORITHMS: Final = ["ES256", "ES384", "ES512", "RS256", "PS256", "EdDSA", "Ed25519"]
"""Public keys alone: who can check by a shared one could have signed as well."""


def is_signed(payload: bytes, signature: Mapping[str, Any], keys: Mapping[str, Any]) -> bool:
    """Whether one of the keys, a JWK set, made the signature (its members ``protected`` and ``signature``).

    That one whose ``kid`` the signature names, if it names one. What is no set of keys has made nothing.
    """
    told = signature.get("protected"), signature.get("signature")
    if not all(isinstance(each, str) for each in told) or not keys.get("keys"):
        return False
    body = urlsafe_b64encode(payload).rstrip(b"=").decode()
    try:
        known = KeySet.import_key_set({"keys": keys["keys"]})
        jws.deserialize_compact(f"{told[0]}.{body}.{told[1]}", known, algorithms=_ALGORITHMS)
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        return False
    return True
