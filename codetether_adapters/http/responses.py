"""Answers in JSON, encoded once and straight to bytes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final

import orjson
from starlette.responses import Response

from codetether_core import codec

__all__ = ["Encoded", "Json", "encode_json"]

_OPTIONS: Final = orjson.OPT_PASSTHROUGH_DATETIME
_JSON: Final = b"application/json"
_WITHOUT_CONTENT: Final = (204, 304)
"""Statuses whose answers say nothing of a body's length (RFC 9110, section 8.6)."""


def encode_json(value: object) -> bytes:
    """JSON of plain values and of the domain's, wherever they stand: attrs objects, moments, durations, sets."""
    try:
        return orjson.dumps(value, default=codec.dump, option=_OPTIONS)
    except TypeError:  # lone surrogates and integers of more than 64 bits, which agents print; keys that are no strings
        return json.dumps(value, default=codec.dump, separators=(",", ":")).encode()


class Encoded(Response):
    """A body that is bytes already; with the status 204 there is none, and an empty one needs no ``media_type``.

    ``headers`` are raw: lower-case names, bytes.
    """

    def __init__(
        self,
        body: bytes,
        status: int = 200,
        *,
        media_type: bytes = _JSON,
        headers: Iterable[tuple[bytes, bytes]] = (),
    ) -> None:
        self.status_code = status
        self.background = None
        self.body = body
        of_content = [(b"content-length", b"%d" % len(body))]
        if media_type:
            of_content.append((b"content-type", media_type))
        self.raw_headers = [*(() if status in _WITHOUT_CONTENT else of_content), *headers]


class Json(Encoded):
    """A value as JSON."""

    def __init__(self, value: object, status: int = 200, *, headers: Iterable[tuple[bytes, bytes]] = ()) -> None:
        super().__init__(encode_json(value), status, headers=headers)
