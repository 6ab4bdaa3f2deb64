"""Answers of many lines."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

import orjson

from codetether_adapters.client.errors import BadAnswer
from codetether_adapters.client.requests import Request, nothing
from codetether_adapters.client.transport import Transport

__all__ = ["lines_of", "objects_of"]


async def objects_of(transport: Transport, place: str) -> AsyncGenerator[Mapping[str, Any]]:
    """The lines of an answer where each is a JSON object."""
    async with aclosing(lines_of(transport, place)) as lines:
        async for line in lines:
            yield _object(line, place)


async def lines_of(transport: Transport, place: str) -> AsyncGenerator[bytes]:
    """The lines that a path answers with, without their ends; ``ConnectionFailed`` if the answer breaks off."""
    request = Request(method="GET", path=place, read=nothing)
    waiting = b""
    async with transport.open(request) as chunks:
        async for chunk in chunks:
            *lines, waiting = (waiting + chunk).split(b"\n")
            for line in lines:
                yield line


def _object(line: bytes, place: str) -> Mapping[str, Any]:
    try:
        told = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise BadAnswer(f"The server's answer makes no sense here: {error}", path=place) from None
    if not isinstance(told, dict):
        raise BadAnswer("The server's answer makes no sense here: it must be objects", path=place)
    return told
