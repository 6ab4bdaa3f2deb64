"""Requests to one server: a POST each, whose answer is JSON or a stream of events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any, Final

import httpx
import orjson
from attrs import define, field

from codetether_adapters.mcp_servers.failures import Refused, unfit
from codetether_adapters.sse import Decoder, EventTooLarge
from codetether_core.errors import Invalid, Unavailable
from codetether_core.nesting import is_deeper
from codetether_core.redaction import Redactor
from codetether_core.tool_servers import ToolServer

__all__ = ["MOST_BYTES", "Reply", "Wire"]

MOST_BYTES: Final = 10 * 1024 * 1024
"""Of all answers of an operation together."""

_LARGE: Final = 256 * 1024
"""From how many bytes on an answer is read in a thread, as others wait meanwhile."""

_DEEPEST: Final = 100
_LONGEST: Final = 500
"""Characters of what a server says that is wrong."""

_STREAM: Final = "text/event-stream"
_TIMEOUT: Final = {"connect": 10.0, "write": None, "read": None, "pool": None}
"""Seconds to try one address; whoever asks bounds the whole."""

_SHORTEST: Final = 8
"""Characters of a credential that is told from other words."""

_TAKEN: Final = (httpx.codes.OK, httpx.codes.ACCEPTED, httpx.codes.NO_CONTENT)
_OURS: Final = (400, 404, 405, 406, 415, 422)
"""Statuses by which a server says that it does not take such a request; all others are for the next one too."""


@define(eq=False)
class Reply:
    """What is sent for a request: its ``headers``, and the ``messages`` until it has its response."""

    headers: httpx.Headers
    messages: AsyncGenerator[Mapping[str, Any], None]


@define(eq=False)
class Wire:
    """``credential`` is what the server knows us by; it is in nothing that is told of the server."""

    transport: httpx.AsyncBaseTransport
    server: ToolServer
    credential: str = field(default="", repr=False)
    _left: int = field(default=MOST_BYTES, init=False)

    @asynccontextmanager
    async def post(self, message: Mapping[str, Any], headers: Mapping[str, str]) -> AsyncIterator[Reply]:
        """The reply to a message; leaving the context closes it. ``Refused``, and what the port has."""
        async with self._answered("POST", headers, _written(message)) as answer:
            await self._require_ok(answer)
            async with aclosing(self._messages(answer)) as messages:
                yield Reply(answer.headers, messages)

    async def delete(self, headers: Mapping[str, str]) -> None:
        """Tell the server that its session is over, whatever it makes of that."""
        async with self._answered("DELETE", headers, b""):
            pass

    @asynccontextmanager
    async def _answered(self, method: str, headers: Mapping[str, str], body: bytes) -> AsyncIterator[httpx.Response]:
        try:
            answer = await self.transport.handle_async_request(self._request(method, headers, body))
            async with aclosing(answer):
                yield answer
        except httpx.LocalProtocolError:  # whose words may have the credential in them
            raise Invalid("url", "cannot be asked: such a request cannot be made") from None
        except httpx.HTTPError as error:
            words = self.told(str(error)) or type(error).__name__
            raise Unavailable(f"{self.server.name} cannot be reached: {words}") from None

    def _request(self, method: str, headers: Mapping[str, str], body: bytes) -> httpx.Request:
        told = {
            "Content-Type": "application/json",
            "Accept": f"application/json, {_STREAM}",
            "Accept-Encoding": "identity",
            **headers,
        }
        sent = [(name.encode(), value.encode()) for name, value in told.items()]
        if (sign_in := self.server.sign_in) is not None:
            sent.append((sign_in.header.encode(), f"{sign_in.prefix}{self.credential}".encode()))
        extensions = {"timeout": _TIMEOUT}
        return httpx.Request(method, self.server.url, headers=sent, content=body, extensions=extensions)

    async def _require_ok(self, answer: httpx.Response) -> None:
        status = answer.status_code
        if status in _TAKEN:
            return
        if answer.is_redirect:
            raise unfit(f"sends us elsewhere (status {status}), where we do not follow it")
        said = await self._whole(answer) if status in _OURS else b""
        try:
            told = orjson.loads(said)
        except ValueError:
            told = None
        if isinstance(told, dict) and isinstance(told.get("error"), dict):
            raise self.refusal(told["error"], status)
        if status in _OURS:
            raise Refused(None, f"it answers with status {status}", status=status)
        hint = "name the secret by which it knows us" if status in (401, 403) else "try again later"
        raise Unavailable(f"{self.server.name} answers with status {status}", hint=hint)

    def refusal(self, error: Mapping[str, Any], status: int = 200) -> Refused:
        """The error of JSON-RPC that the server answers with."""
        code = error.get("code")
        words = self.told(str(error.get("message") or "it does not say why"))
        return Refused(code if isinstance(code, int) else None, words, error.get("data"), status=status)

    def told(self, words: str) -> str:
        """As much of what the server says as may be told."""
        hidden = Redactor.of({"credential": self.credential}) if len(self.credential) >= _SHORTEST else Redactor.of({})
        return hidden.whole(words[: _LONGEST * 4])[:_LONGEST].replace("\0", "\N{SYMBOL FOR NULL}")

    async def _messages(self, answer: httpx.Response) -> AsyncGenerator[Mapping[str, Any], None]:
        if answer.status_code != httpx.codes.OK:
            return
        if not answer.headers.get("content-type", "").startswith(_STREAM):
            yield await _read(await self._whole(answer))
            return
        decoder = Decoder(MOST_BYTES)
        async for chunk in self._chunks(answer):
            try:
                events = decoder.feed(chunk)
            except EventTooLarge:
                raise unfit("says too much at once") from None
            for event in events:
                if event.event == "message" and event.data:
                    yield await _read(event.data.encode())

    async def _whole(self, answer: httpx.Response) -> bytes:
        body = bytearray()
        async for chunk in self._chunks(answer):
            body += chunk
        return bytes(body)

    async def _chunks(self, answer: httpx.Response) -> AsyncIterator[bytes]:
        async for chunk in answer.aiter_raw():
            self._left -= len(chunk)
            if self._left < 0:
                raise unfit(f"answers more than {MOST_BYTES:,} bytes")
            yield chunk


def _written(message: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(message)
    except TypeError:
        raise Invalid("arguments", "must be JSON, of Unicode text and numbers of at most 64 bits") from None


async def _read(text: bytes) -> Mapping[str, Any]:
    return await asyncio.to_thread(_message, text) if len(text) > _LARGE else _message(text)


def _message(text: bytes) -> Mapping[str, Any]:
    try:
        told = orjson.loads(text)
    except ValueError:
        raise unfit("answers what is no JSON") from None
    if not isinstance(told, dict):
        raise unfit("answers what is no message of JSON-RPC")
    if is_deeper(told, _DEEPEST):
        raise unfit(f"answers in more than {_DEEPEST} levels")
    return told
