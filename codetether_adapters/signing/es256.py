"""ES256 (RFC 7518): ECDSA on P-256, which whoever checks a JWS can."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jws
from joserfc.jwk import ECKey

__all__ = ["DetachedEs256"]

_ALGORITHM: Final = "ES256"
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""Of the group that P-256's base point generates (FIPS 186-5)."""

_SEED_BYTES: Final = 48


class DetachedEs256:
    """Signatures without what is signed (RFC 7515, appendix F), one by each key.

    Keys are made of secrets, the same every time. Each has the name that it is given with, or is called by its
    thumbprint (RFC 7638) where that is empty.
    """

    def __init__(self, secrets: Sequence[tuple[str, bytes]], purpose: bytes) -> None:
        self._keys = [_derived(name, secret, purpose) for name, secret in secrets]

    def sign(self, payload: bytes, keys_url: str) -> Sequence[Mapping[str, str]]:
        """``protected`` and ``signature`` by each key; ``keys_url`` is where verifiers find the keys."""
        return [_signed(payload, key, keys_url) for key in self._keys]

    def keys(self) -> Mapping[str, Any]:
        """The public keys, as a JWK set (RFC 7517)."""
        return {"keys": [key.as_dict(private=False) for key in self._keys]}


def _signed(payload: bytes, key: ECKey, keys_url: str) -> Mapping[str, str]:
    header = {"alg": _ALGORITHM, "kid": key.kid, "typ": "JOSE", "jku": keys_url}
    protected, _, signature = jws.serialize_compact(header, payload, key, algorithms=[_ALGORITHM]).split(".")
    return {"protected": protected, "signature": signature}


def _derived(name: str, secret: bytes, purpose: bytes) -> ECKey:
    """By FIPS 186-5, A.2.1: of so many bytes that the remainder favours no key."""
    seed = HKDF(SHA256(), _SEED_BYTES, salt=None, info=b"codetether " + purpose).derive(secret)
    private = derive_private_key(int.from_bytes(seed) % (_ORDER - 1) + 1, SECP256R1())
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    kid = name or ECKey.import_key(pem).thumbprint()
    return ECKey.import_key(pem, {"kid": kid, "use": "sig", "alg": _ALGORITHM})
