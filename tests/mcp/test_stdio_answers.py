"""What a host hears over standard output where a server's answer is none."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from attrs import frozen

from codetether_adapters.mcp.stdio import StdioProxy


@frozen
class Answer:
    """A whole answer."""

    kind: str
    body: bytes
    status: int = 200

    @property
    def headers(self) -> Sequence[tuple[bytes, bytes]]:
        return [(b"content-type", self.kind.encode())]

    @property
    def chunks(self) -> AsyncIterator[bytes]:
        return self._chunks()

    async def _chunks(self) -> AsyncIterator[bytes]:
        yield self.body


async def heard(answer: Answer) -> list[Any]:
    """What the host hears when it asks once."""
    lines, answered = list[bytes](), asyncio.Event()

    def write(line: bytes) -> None:
        lines.append(line)
        if "id" in json.loads(line):
            answered.set()

    @asynccontextmanager
    async def post(headers: object, body: bytes) -> AsyncIterator[Answer]:
        yield answer

    async def asked() -> AsyncIterator[bytes]:
        yield b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
        await answered.wait()

    async with asyncio.timeout(5):
        await StdioProxy(post=post, write=write).run(asked())
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"<html>"),
        ("text/event-stream", b"data: <html>\n\n"),
        ("text/event-stream", b""),
        ("text/event-stream", b'data: {"jsonrpc":"2.0","method":"notifications/progress","params":{}}\n\n'),
    ],
)
async def test_a_request_is_answered_whatever_the_server_says(kind: str, body: bytes) -> None:
    told = (await heard(Answer(kind, body)))[-1]
    assert (told["id"], told["error"]["data"]) == (1, {"code": "bad_answer"})


async def test_an_answer_is_told_once() -> None:
    body = b'data: {"jsonrpc":"2.0","id":1,"result":{}}\n\n'
    assert await heard(Answer("text/event-stream", body)) == [{"jsonrpc": "2.0", "id": 1, "result": {}}]
