"""Request bodies: bytes within a limit, whole or as they come, and JSON that every store can hold.

Accepted is what RFC 8259 calls JSON (no NaN, no lone surrogate), nested no deeper than a limit, without NUL
characters in its strings, which PostgreSQL cannot keep, and without integers of more than 64 bits, which most parsers
would take for another number.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from typing import Any, Final

import orjson
from attrs import frozen
from starlette.types import Receive

from codetether_adapters.http.headers import Headers
from codetether_core.errors import Invalid, TooLarge

__all__ = ["Disconnected", "Limits", "body_chunks", "read_body", "read_json"]

_NUL: Final = b"\\u0000"
_ZEROS: Final = bytes(ord("0") if chr(byte).isdigit() and byte < 128 else byte for byte in range(256))
_LONG: Final = b"0" * 19
"""The digits of the shortest integer that may have more than 64 bits."""


_HUGE: Final = object()


class Disconnected(Exception):
    """The client went away before its request was complete: there is nobody to answer."""


@frozen(kw_only=True)
class Limits:
    """What one request may be: bytes of its body, or of the file it brings, and levels of nesting of JSON in it."""

    body: int = 4 * 1024 * 1024
    file: int = 256 * 1024 * 1024
    depth: int = 100


async def read_body(receive: Receive, headers: Headers, limit: int) -> bytes:
    """The whole body; ``TooLarge`` as soon as it is known to pass ``limit``, which the client may announce."""
    chunks = [chunk async for chunk in body_chunks(receive, headers, limit)]
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def body_chunks(receive: Receive, headers: Headers, limit: int) -> AsyncGenerator[bytes, None]:
    """The body as it comes, and ``TooLarge`` as above; ``Disconnected`` if it does not come to its end."""
    announced = headers.get("content-length")
    if announced is not None and announced.isdecimal() and int(announced[:19]) > limit:
        raise _too_large(limit)
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        if chunk:
            yield chunk
        more = message.get("more_body", False)


def read_json(body: bytes, depth: int) -> Any:
    """The body's value; ``Invalid`` says what is wrong with it, and where a NUL hides."""
    if not body:
        raise Invalid("", "the request has no body; send JSON", code="body_missing")
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Invalid("", f"the body is not JSON: {error}", code="json_malformed") from None
    huge = _LONG in body.translate(_ZEROS)
    if huge or _NUL in body or body.count(b"[") + body.count(b"{") > depth:
        _inspect(value, depth)
    if huge:
        _inspect(json.loads(body, parse_int=_integer), depth)
    return value


def _inspect(value: Any, depth: int) -> None:
    """Walk the whole value, which the cheap looks at its bytes could not clear."""
    waiting: list[tuple[Any, str, int]] = [(value, "", 1)]
    while waiting:
        value, path, level = waiting.pop()
        if isinstance(value, str):
            if "\0" in value:
                raise Invalid(path, "must not contain the NUL character")
            continue
        if value is _HUGE:
            raise Invalid(path, "must be an integer of at most 64 bits", hint="send it as a string")
        if not isinstance(value, dict | list):
            continue
        if level > depth:
            raise Invalid("", f"the body is nested deeper than {depth} levels", code="json_too_deep")
        members = value.items() if isinstance(value, dict) else enumerate(value)
        for name, member in members:
            if isinstance(name, str) and "\0" in name:
                raise Invalid(path, "must not have a member with the NUL character in its name")
            waiting.append((member, f"{path}.{name}" if path else str(name), level + 1))


def _integer(text: str) -> object:
    return int(text) if len(text) <= 20 and -(2**63) <= int(text) < 2**64 else _HUGE


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The body has more than {limit} bytes", limit=limit)
