"""Request bodies: bytes within a limit, whole or as they come, and JSON that every store can hold.

Accepted is what RFC 8259 calls JSON (no NaN, no lone surrogate), nested no deeper than a limit, without NUL
characters in its strings, which PostgreSQL cannot keep, and without integers of more than 64 bits, which most parsers
would take for another number.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any, Final, TypeAlias

import orjson
from attrs import frozen
from starlette.types import Receive

from codetether_adapters.http.headers import Headers
from codetether_core.errors import CodeTetherError, Invalid, TooLarge
from codetether_core.nesting import is_deeper

__all__ = [
    "Disconnected",
    "EncodingUnsupported",
    "Limits",
    "TooSlow",
    "body_chunks",
    "parse_json",
    "read_body",
    "read_json",
    "require_depth",
    "require_fit",
]

_NUL: Final = b"\\u0000"
_ZEROS: Final = bytes(ord("0") if chr(byte).isdigit() and byte < 128 else byte for byte in range(256))
_LONG: Final = b"0" * 19
"""The digits of the shortest integer that may have more than 64 bits."""

_HUGE: Final = object()
_STRETCH: Final = 64 * 1024

_Place: TypeAlias = "tuple[Any, str | int, _Place | None]"
"""A value, its name or number in what it is in, and the place of that."""


class Disconnected(Exception):
    """The client went away before its request was complete: there is nobody to answer."""


class EncodingUnsupported(CodeTetherError):
    """The body is compressed: what it would come to nobody knows beforehand."""

    code = "encoding_unsupported"


class TooSlow(CodeTetherError):
    """The body does not come, or a few bytes at a time."""

    code = "too_slow"


@frozen(kw_only=True)
class Limits:
    """What one request may be: bytes of its body, or of the file it brings, and levels of nesting of JSON in it.

    Within every ``patience`` the next 64 KiB of it have to come, or its end.
    """

    body: int = 4 * 1024 * 1024
    file: int = 256 * 1024 * 1024
    depth: int = 100
    patience: timedelta = timedelta(seconds=60)


async def read_body(receive: Receive, headers: Headers, limit: int, patience: timedelta) -> bytes:
    """The whole body; ``TooLarge`` as soon as it is known to pass ``limit``, which the client may announce."""
    chunks = [chunk async for chunk in body_chunks(receive, headers, limit, patience)]
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def body_chunks(
    receive: Receive, headers: Headers, limit: int, patience: timedelta
) -> AsyncGenerator[bytes, None]:
    """The body as it comes, and ``TooLarge`` as above; ``Disconnected`` if it does not come to its end.

    ``TooSlow`` where it does not come to the next 64 KiB in time, ``EncodingUnsupported`` where it is compressed.
    """
    if (headers.get("content-encoding") or "identity").strip().lower() != "identity":
        raise EncodingUnsupported("The body is compressed", hint="send it as it is, without Content-Encoding")
    announced = headers.get("content-length")
    if announced is not None and announced.isdecimal() and int(announced[:19]) > limit:
        raise _too_large(limit)
    size, more = 0, True
    now, wait = asyncio.get_running_loop().time, patience.total_seconds()
    due, wanted = now() + wait, _STRETCH
    while more:
        try:
            async with asyncio.timeout_at(due):
                message = await receive()
        except TimeoutError:
            hint = f"send {_STRETCH} bytes at least in every {wait:g} seconds"
            raise TooSlow("The body does not come", hint=hint) from None
        if message["type"] == "http.disconnect":
            raise Disconnected
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        if size >= wanted:
            due, wanted = now() + wait, size + _STRETCH
        if chunk:
            yield chunk
        more = message.get("more_body", False)


def read_json(body: bytes, depth: int) -> Any:
    """The body's value; ``Invalid`` says what is wrong with it, and where a NUL hides."""
    value = parse_json(body)
    require_fit(value, body, depth)
    return value


def parse_json(body: bytes) -> Any:
    """The body's value, fit for a look at what it is; ``Invalid`` if it is no JSON."""
    if not body:
        raise Invalid("", "the request has no body; send JSON", code="body_missing")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Invalid("", f"the body is not JSON: {error}", code="json_malformed") from None


def require_fit(value: Any, body: bytes, depth: int) -> None:
    """``Invalid`` for a body whose value nobody may work with: it is too deep, or no store could hold it."""
    require_depth(value, body, depth)
    huge = _LONG in body.translate(_ZEROS)
    if huge or _NUL in body:
        _inspect(json.loads(body, parse_int=_integer) if huge else value)


def require_depth(value: Any, body: bytes, depth: int) -> None:
    """``Invalid`` for a body whose value is nested deeper."""
    if body.count(b"[") + body.count(b"{") > depth and is_deeper(value, depth):
        raise Invalid("", f"the body is nested deeper than {depth} levels", code="json_too_deep")


def _inspect(value: Any) -> None:
    """Walk the whole value, which the cheap looks at its bytes could not clear; ``Invalid`` says where it is wrong."""
    waiting: list[_Place] = [(value, "", None)]
    while waiting:
        place = waiting.pop()
        value = place[0]
        if isinstance(value, str):
            if "\0" in value:
                raise Invalid(_path(place), "must not contain the NUL character")
        elif value is _HUGE:
            raise Invalid(_path(place), "must be an integer of at most 64 bits", hint="send it as a string")
        elif isinstance(value, dict):
            if any("\0" in name for name in value):
                raise Invalid(_path(place), "must not have a member with the NUL character in its name")
            waiting += [(member, name, place) for name, member in value.items()]
        elif isinstance(value, list):
            waiting += [(member, at, place) for at, member in enumerate(value)]


def _path(place: _Place | None) -> str:
    """The dotted path to it."""
    names: list[str] = []
    while place is not None and place[2] is not None:
        names.append(str(place[1]))
        place = place[2]
    return ".".join(reversed(names))


def _integer(text: str) -> object:
    return int(text) if len(text) <= 20 and -(2**63) <= int(text) < 2**64 else _HUGE


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The body has more than {limit} bytes", limit=limit)
