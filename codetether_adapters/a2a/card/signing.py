"""Signatures of a card: JWS (RFC 7515) whose payload is not sent along but written again from the card (RFC 8785).

What is signed are the members of release 1.0, without the signatures themselves, and without what is empty: so do the
clients write it that check it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

import rfc8785

__all__ = ["KEYS_PATH", "CardSigner", "payload_of", "signatures_of"]

KEYS_PATH: Final = "/.well-known/jwks.json"
"""Where the keys are by which signatures are checked."""


class CardSigner(Protocol):
    """Signs with each of its keys."""

    def sign(self, payload: bytes, keys_url: str) -> Sequence[Mapping[str, str]]:
        """``protected`` and ``signature`` of a JWS for each key; ``keys_url`` is where the keys are published."""
        ...

    def keys(self) -> Mapping[str, Any]:
        """The public keys, as a JWK set (RFC 7517)."""
        ...


def payload_of(card: Mapping[str, Any]) -> bytes:
    """What is signed of a card of release 1.0."""
    unsigned = {name: member for name, member in card.items() if name != "signatures"}
    return rfc8785.dumps(_without_empty(unsigned))


def signatures_of(card: Mapping[str, Any], signer: CardSigner, base_url: str) -> list[dict[str, str]]:
    """The member ``signatures`` for a card of release 1.0."""
    return [dict(each) for each in signer.sign(payload_of(card), f"{base_url}{KEYS_PATH}")]


def _without_empty(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: kept for name, member in value.items() if not _is_empty(kept := _without_empty(member))}
    if isinstance(value, list | tuple):
        return [kept for member in value if not _is_empty(kept := _without_empty(member))]
    return value


def _is_empty(value: Any) -> bool:
    return value is None or value in ("", [], {})
