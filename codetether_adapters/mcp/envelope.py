"""JSON-RPC 2.0 as far as it has to be read before the protocol's library reads it: to know what is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson
from attrs import frozen

from codetether_adapters.mcp.encoding import encode

__all__ = ["UNREADABLE", "Asked", "asked_in", "has_error", "message_in", "refusal_of"]

_PARSE_ERROR: Final = -32700
_INVALID_REQUEST: Final = -32600
_EVENT: Final = b"data: "


@frozen
class Asked:
    """A method and its parameters; both empty where the message has none that can be read."""

    method: str
    params: Mapping[str, Any]


def message_in(body: bytes) -> Any:
    """The message that is nothing but JSON; ``ValueError`` if it is not."""
    return orjson.loads(body)


def asked_in(message: Any) -> Asked:
    """What a message asks for."""
    method, params = (message.get("method"), message.get("params")) if isinstance(message, dict) else (None, None)
    return Asked(method if isinstance(method, str) else "", params if isinstance(params, dict) else {})


def refusal_of(message: Any, words: str) -> bytes:
    """The answer to a message that is no request."""
    id = message.get("id") if isinstance(message, dict) else None
    told = {"code": _INVALID_REQUEST, "message": words}
    return encode({"jsonrpc": "2.0", "id": id if isinstance(id, str | int) else None, "error": told})


def has_error(chunk: bytes) -> bool:
    """Whether a whole answer, or an event of one, is the protocol's error."""
    if b'"error"' not in chunk:
        return False
    lines = [line.removeprefix(_EVENT) for line in chunk.splitlines() if line.startswith((_EVENT, b"{"))]
    for line in lines:
        try:
            told = orjson.loads(line)
        except ValueError:
            continue
        if isinstance(told, dict) and "error" in told:
            return True
    return False


UNREADABLE: Final = encode({"jsonrpc": "2.0", "id": None, "error": {"code": _PARSE_ERROR, "message": "Parse error"}})
"""The answer to what is no JSON."""
