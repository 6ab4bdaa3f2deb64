"""The protocol over standard input and output, for hosts on a desktop: each message is passed on to a server by HTTP.

A message is a line of JSON. What the server answers, and says meanwhile, is written as it comes; an answer that is
given up by its id is broken off there as well.
"""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, Protocol, TypeAlias

from attrs import define, field

from codetether_adapters.mcp.encoding import encode
from codetether_adapters.mcp.envelope import UNREADABLE, message_in
from codetether_adapters.sse import Decoder
from codetether_core.errors import CodeTetherError

__all__ = ["Answer", "Post", "StdioProxy"]

_VERSION: Final = "io.modelcontextprotocol/protocolVersion"
_NAMES: Final = ("name", "uri", "taskId")
_HANDSHAKE_ENDS: Final = "2026-07-28"
_INTERNAL: Final = -32603
_ACCEPTED: Final = 202


class Answer(Protocol):
    """A server's answer, whose body comes."""

    @property
    def status(self) -> int:
        """Of HTTP."""
        ...

    @property
    def headers(self) -> Sequence[tuple[bytes, bytes]]:
        """As they came."""
        ...

    @property
    def chunks(self) -> AsyncIterator[bytes]:
        """The body."""
        ...


Post: TypeAlias = Callable[[Sequence[tuple[bytes, bytes]], bytes], AbstractAsyncContextManager[Answer]]
"""Sends a body with these headers to the endpoint. What it raises of ours is told to the host."""


@define(eq=False)
class StdioProxy:
    """``write`` takes a line without its end."""

    post: Post
    write: Callable[[bytes], None]
    _version: str = field(default="", init=False)
    _open: dict[str, asyncio.Task[None]] = field(factory=dict, init=False)

    async def run(self, lines: AsyncIterator[bytes]) -> None:
        """Pass on every line until there are no more; what is still unanswered then is broken off."""
        try:
            async with asyncio.TaskGroup() as group:
                async for line in lines:
                    if line.strip():
                        self._take(group, line)
                for task in self._open.values():
                    task.cancel()
        finally:
            self._open.clear()

    def _take(self, group: asyncio.TaskGroup, line: bytes) -> None:
        try:
            message = message_in(line)
        except ValueError:
            self.write(UNREADABLE)
            return
        if not isinstance(message, dict):
            message = {"": message}
        match message:
            case {"method": "notifications/cancelled", "params": {"requestId": str() | int() as id}}:
                if (task := self._open.get(json.dumps(id))) is not None:
                    task.cancel()
                return
        known = json.dumps(message.get("id"))
        task = group.create_task(self._pass_on(message, line))
        if "id" in message:
            self._open[known] = task
            task.add_done_callback(lambda _: self._open.pop(known, None))

    async def _pass_on(self, message: Mapping[str, Any], line: bytes) -> None:
        try:
            async with self.post(self._headers(message), line) as answer:
                await self._answer(message, answer)
        except CodeTetherError as error:
            self._refuse(message, f"{error.message}{f': {error.hint}' if error.hint else ''}", error.code)
        except ValueError:
            self._refuse(message, "The server answers with what is no JSON", "bad_answer")

    async def _answer(self, message: Mapping[str, Any], answer: Answer) -> None:
        kind = next((value for name, value in answer.headers if name.lower() == b"content-type"), b"")
        if kind.startswith(b"text/event-stream"):
            decoder, answered = Decoder(), False
            async for chunk in answer.chunks:
                for event in decoder.feed(chunk):
                    told = self._tell(message, event.data.encode())
                    answered = answered or (isinstance(told, dict) and not {"result", "error"}.isdisjoint(told))
            if not answered:
                self._refuse(message, "The server's answer ended before its result", "bad_answer")
            return
        body = b"".join([chunk async for chunk in answer.chunks])
        if kind.startswith(b"application/json") and body:
            self._tell(message, body)
        elif answer.status != _ACCEPTED:
            self._refuse(message, *_problem(answer.status, body))

    def _tell(self, asked: Mapping[str, Any], body: bytes) -> Any:
        """Write what the server says, and return it; ``ValueError`` where that is no JSON."""
        told = json.loads(body)
        if asked.get("method") == "initialize" and isinstance(told, dict) and "result" in told:
            self._version = str(told["result"].get("protocolVersion", ""))
        self.write(encode(told))  # on one line, however it came
        return told

    def _refuse(self, message: Mapping[str, Any], words: str, code: str) -> None:
        if "id" in message:
            error = {"code": _INTERNAL, "message": words, "data": {"code": code}}
            self.write(encode({"jsonrpc": "2.0", "id": message["id"], "error": error}))

    def _headers(self, message: Mapping[str, Any]) -> Sequence[tuple[bytes, bytes]]:
        headers = [(b"content-type", b"application/json"), (b"accept", b"application/json, text/event-stream")]
        params = message.get("params")
        params = params if isinstance(params, dict) else {}
        meta = params.get("_meta")
        told = meta.get(_VERSION) if isinstance(meta, dict) else None
        version = told if isinstance(told, str) else self._version
        if version:
            headers.append((b"mcp-protocol-version", _header(version)))
        if version >= _HANDSHAKE_ENDS:
            headers.append((b"mcp-method", _header(str(message.get("method", "")))))
            name = next((params[each] for each in _NAMES if isinstance(params.get(each), str)), None)
            if name is not None:
                headers.append((b"mcp-name", _header(name)))
        return headers


def _header(text: str) -> bytes:
    """As the protocol has text in headers that is not plain there."""
    if text.isascii() and text.isprintable() and text == text.strip() and not text.startswith("=?"):
        return text.encode()
    return b"=?base64?%b?=" % b64encode(text.encode(errors="replace"))


def _problem(status: int, body: bytes) -> tuple[str, str]:
    """What a refusal says that is none of the protocol's."""
    try:
        told = json.loads(body)
        return str(told["detail"]), str(told["code"])
    except (ValueError, LookupError, TypeError):
        return f"The server answers with the status {status}", "bad_answer"
