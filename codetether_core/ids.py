"""Identifiers: ``<prefix>_<time><random>``, in lower-case Crockford base 32.

48 bits of milliseconds, then 128 random bits from injected entropy, so that ids sort by creation and cannot be
guessed. An id derived from an idempotency key has a digest in place of both and does not sort.

Ids of tasks and approvals end in their codebase's *room*, one of 1,024, so that a store that spreads its data finds
them by their id alone.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import NewType

__all__ = [
    "AgentName",
    "ApprovalId",
    "CodebaseId",
    "ContextId",
    "CredentialId",
    "MessageId",
    "SessionId",
    "TaskId",
    "TenantId",
    "WebhookId",
    "WorkerId",
    "derived_id",
    "digest",
    "framed",
    "new_id",
    "room_in",
    "room_of",
]

TenantId = NewType("TenantId", str)
TaskId = NewType("TaskId", str)
CodebaseId = NewType("CodebaseId", str)
WorkerId = NewType("WorkerId", str)
AgentName = NewType("AgentName", str)
SessionId = NewType("SessionId", str)
ContextId = NewType("ContextId", str)
MessageId = NewType("MessageId", str)
ApprovalId = NewType("ApprovalId", str)
CredentialId = NewType("CredentialId", str)
WebhookId = NewType("WebhookId", str)

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = tuple(first + second for first in _ALPHABET for second in _ALPHABET)
_TIME_BITS, _RANDOM_BITS, _ROOM_BITS = 48, 128, 10
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def new_id(prefix: str, now: datetime, random: bytes, *, room: str = "") -> str:
    """A fresh id such as ``tsk_01k…``. ``random`` is 16 bytes of entropy, else ``ValueError``."""
    if len(random) * 8 != _RANDOM_BITS:
        raise ValueError(f"an id needs {_RANDOM_BITS // 8} bytes of entropy, not {len(random)}")
    milliseconds = (now - _EPOCH) // timedelta(milliseconds=1) & ((1 << _TIME_BITS) - 1)
    return f"{prefix}_{_base32(milliseconds, _TIME_BITS)}{_base32(int.from_bytes(random), _RANDOM_BITS)}{room}"


def derived_id(prefix: str, *scope: str, room: str = "") -> str:
    """The one id that belongs to ``scope``: the same texts give the same id, other texts another."""
    return f"{prefix}_x{_base32(int.from_bytes(_digest(scope)[:22]), 176)}{room}"


def room_of(tenant: TenantId, codebase: CodebaseId) -> str:
    """The room of everything that belongs to a codebase: two characters."""
    return _base32(int.from_bytes(_digest((tenant, codebase))[:2]) >> 6, _ROOM_BITS)


def room_in(id: str) -> int:
    """The number, below 1,024, of the room that an id ends in; any text that is no such id has one too."""
    number = 0
    for character in id[-2:]:
        number = number << 5 | max(_ALPHABET.find(character), 0)
    return number


def digest(*parts: str) -> str:
    """A short stable name for a sequence of texts, unambiguous in where each of them ends."""
    return _digest(parts)[:16].hex()


def framed(*parts: str) -> bytes:
    """A sequence of texts as bytes, unambiguous in where each of them ends."""
    texts = (part.encode("utf-8", "surrogatepass") for part in parts)
    return b"".join(b"%d:%s" % (len(text), text) for text in texts)


def _digest(parts: tuple[str, ...]) -> bytes:
    return hashlib.sha256(framed(*parts)).digest()


def _base32(value: int, bits: int) -> str:
    characters = -(-bits // 5)
    pairs = [_PAIRS[(value >> shift) & 1023] for shift in range(characters * 5 - 10, -1, -10)]
    return (_ALPHABET[value >> (characters * 5 - 5) & 31] if characters % 2 else "") + "".join(pairs)
