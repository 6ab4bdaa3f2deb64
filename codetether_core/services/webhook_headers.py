"""How a receiver knows that it was us, and which message it has already: the headers of Standard Webhooks.

``webhook-signature`` is over ``<webhook-id>.<webhook-timestamp>.<body>``: with the receiver's token, if it gave one
(``v1``, HMAC-SHA256), and with the installation's key, if it has one (``v1a``, Ed25519). A token that begins with
``whsec_`` is the key in base64, as that standard writes secrets; any other is one by itself.
"""

from __future__ import annotations

import hmac
from base64 import b64decode, b64encode
from binascii import Error as NoBase64
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from codetether_core.ports import Payload, Signer
from codetether_core.webhooks import Target

__all__ = ["headers_of", "public_key"]

_KEY_PREFIX: Final = "whsec_"
_PUBLIC_PREFIX: Final = "whpk_"


def headers_of(payload: Payload, target: Target, id: str, now: datetime, signer: Signer) -> Mapping[str, str]:
    """All of a message's. Its ``id`` is the same whenever it is sent again."""
    seconds = int(now.astimezone(UTC).timestamp())
    headers = {**payload.headers, "webhook-id": id, "webhook-timestamp": str(seconds)}
    signed = f"{id}.{seconds}.".encode() + payload.body
    signatures: list[str] = []
    if target.token:
        signatures.append(f"v1,{_base64(hmac.digest(_key(target.token), signed, 'sha256'))}")
        headers[payload.token_header] = target.token
    if signer.key:
        signatures.append(f"v1a,{_base64(signer.sign(signed))}")
    if signatures:
        headers["webhook-signature"] = " ".join(signatures)
    if target.scheme:
        headers["Authorization"] = f"{target.scheme} {target.credentials or ''}".strip()
    return headers


def public_key(signer: Signer) -> str:
    """What ``v1a`` is verified with, as that standard writes it; empty if nothing is signed so."""
    return f"{_PUBLIC_PREFIX}{_base64(bytes.fromhex(signer.key))}" if signer.key else ""


def _key(token: str) -> bytes:
    if token.startswith(_KEY_PREFIX):
        try:
            return b64decode(token.removeprefix(_KEY_PREFIX), validate=True)
        except NoBase64:
            pass
    return token.encode()


def _base64(data: bytes) -> str:
    return b64encode(data).decode()
