"""What a browser keeps for us between two requests: readable and changeable by us alone (JWE, RFC 7516)."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import TypeVar

from attrs import define, field
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from codetether_core import codec
from codetether_core.errors import Invalid

__all__ = ["Seal"]

T = TypeVar("T")

_ALGORITHMS = ["dir", "A256GCM"]


def _derived(secret: bytes) -> OctKey:
    return OctKey.import_key(hmac.digest(secret, b"codetether sign-in in a browser", hashlib.sha256))


@define(eq=False)
class Seal:
    """Seals with a key that is made of the installation's, the same in every replica."""

    _key: OctKey = field(converter=_derived, repr=False)

    def close(self, value: object) -> str:
        """A value as text that tells nobody anything."""
        return jwe.encrypt_compact({"alg": "dir", "enc": "A256GCM"}, json.dumps(codec.dump(value)), self._key)

    def open(self, text: str, cls: type[T]) -> T | None:
        """The value; ``None`` for what was not closed here, or is something else."""
        try:
            plain = jwe.decrypt_compact(text, self._key, algorithms=_ALGORITHMS).plaintext
            return codec.parse(cls, json.loads(plain or b""))
        except (JoseError, Invalid, ValueError):
            return None
