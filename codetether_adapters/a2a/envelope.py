"""JSON-RPC 2.0: what surrounds a call and its answer.

A batch is refused: the protocol has none. An id is given back as it came; a request without one is a notification, to
which only a refusal is answered, for nobody: the protocol has no use for notifications, and who sends one most likely
forgot the id.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import frozen

from codetether_adapters.a2a.errors import INVALID_REQUEST, Refused
from codetether_adapters.a2a_wire.encoding import encode

__all__ = ["NOBODY", "Envelope", "id_of", "opened", "refused", "wrapped"]

NOBODY: Final = b"null"
"""The id of an answer to what has none that can be read."""


@frozen
class Envelope:
    """A call: ``id`` is JSON already, and ``None`` for a notification."""

    method: str
    params: Mapping[str, Any]
    id: bytes | None


def opened(value: Any) -> Envelope:
    """The call; ``Refused`` if it is none."""
    if isinstance(value, list):
        raise Refused(INVALID_REQUEST, "Batches are not supported: send one request at a time")
    if not isinstance(value, Mapping) or value.get("jsonrpc") != "2.0":
        raise Refused(INVALID_REQUEST, "The request must be a JSON-RPC 2.0 object")
    if "id" in value and not _is_id(value["id"]):
        raise Refused(INVALID_REQUEST, "The id must be a string, an integer or null")
    method = value.get("method")
    if not isinstance(method, str) or not method:
        raise Refused(INVALID_REQUEST, "The method must be a string")
    params = value.get("params")
    return Envelope(method, {} if params is None else params, encode(value["id"]) if "id" in value else None)


def id_of(value: Any) -> bytes:
    """The id of what may be no call at all."""
    return encode(value.get("id")) if isinstance(value, Mapping) and _is_id(value.get("id")) else NOBODY


def wrapped(id: bytes, result: bytes) -> bytes:
    """The answer to the call of that id; both are JSON already."""
    return b'{"jsonrpc":"2.0","id":%b,"result":%b}' % (id, result)


def refused(id: bytes, error: Any) -> bytes:
    """The answer that says what is wrong."""
    return b'{"jsonrpc":"2.0","id":%b,"error":%b}' % (id, encode(error))


def _is_id(value: Any) -> bool:
    return isinstance(value, str | int | None) and not isinstance(value, bool)
