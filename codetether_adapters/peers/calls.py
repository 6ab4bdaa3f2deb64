"""Calls to one agent: JSON-RPC, in the words of the release that it speaks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from itertools import count
from typing import Any, Final, TypeVar

import httpx
import orjson
from attrs import define, field

from codetether_adapters.a2a_wire.dialect import Dialect, Happening
from codetether_adapters.a2a_wire.encoding import encode
from codetether_adapters.a2a_wire.v03 import V03
from codetether_adapters.a2a_wire.v1 import V1
from codetether_adapters.peers.failures import Lost, NotTaken, Refused
from codetether_adapters.peers.words import MESSAGE, fit
from codetether_adapters.sse import Decoder, EventTooLarge
from codetether_core.agents import Peer
from codetether_core.errors import Invalid, Unavailable

__all__ = ["Calls"]

T = TypeVar("T")

_METHODS: Final[Mapping[str, Mapping[str, str]]] = {
    "1.0": {
        "send": "SendMessage",
        "stream": "SendStreamingMessage",
        "get": "GetTask",
        "list": "ListTasks",
        "cancel": "CancelTask",
        "subscribe": "SubscribeToTask",
    },
    "0.3": {
        "send": "message/send",
        "stream": "message/stream",
        "get": "tasks/get",
        "cancel": "tasks/cancel",
        "subscribe": "tasks/resubscribe",
    },
}
_MOST_OF_EVENT: Final = 4 * 1024 * 1024
_MOST_OF_ANSWER: Final = 32 * 1024 * 1024
"""Most tell a task, which may have files: a server of our own tells 22 MiB of what was made, beside what was said."""

_LARGE: Final = 256 * 1024
"""From how many bytes on an answer is read in a thread, as others wait meanwhile."""

_TIMEOUT: Final = {"connect": 10.0, "write": 30.0, "pool": None}
_QUIET: Final = 90.0
"""Seconds without a sign of life after which a stream is given up: six of the beats that most servers keep."""

_ANSWER: Final = 600.0
"""Seconds for an answer: an agent may take a message and answer only when it has done what that says."""

_LATER: Final = frozenset({429, 503})
_CUT: Final = "the connection was cut"


@define(eq=False)
class Calls:
    """``peer`` is who is asked, ``credential`` what it knows us by, if it wants to."""

    transport: httpx.AsyncBaseTransport
    peer: Peer
    credential: str = field(default="", repr=False)
    _ids: Any = field(factory=lambda: count(1), init=False)

    @property
    def dialect(self) -> Dialect:
        """The words that the agent understands."""
        return V1 if self.peer.dialect == V1.name else V03

    @property
    def lists(self) -> bool:
        """Whether it can be asked which tasks it has."""
        return "list" in _METHODS[self.dialect.name]

    async def call(self, method: str, params: Mapping[str, Any], read: Callable[[Any], T], *, key: str = "") -> T:
        """What is ``read`` of the result, which is JSON; ``Refused``, ``NotTaken``, ``Lost``."""
        async with self._asked(method, params, key, "application/json", _ANSWER) as answer:
            return await _read(await _whole(answer), read)

    async def stream(self, method: str, params: Mapping[str, Any], *, key: str = "") -> AsyncGenerator[Happening, None]:
        """What the agent tells until it ends; a single answer in place of a stream is one thing that it tells."""
        async with self._asked(method, params, key, "text/event-stream", _QUIET) as answer:
            if not answer.headers.get("content-type", "").startswith("text/event-stream"):
                single = await _read(await _whole(answer), self.heard)
                if single is not None:
                    yield single
                return
            decoder = Decoder(_MOST_OF_EVENT)
            async for chunk in answer.aiter_raw():
                for event in decoder.feed(chunk):
                    if (happening := await _read(event.data, self.heard)) is not None:
                        yield happening

    def parsed(self, kind: type[T], result: Any) -> T:
        """The JSON as a value; ``Refused`` if it is none."""
        try:
            return self.dialect.parse(kind, result)
        except Invalid as error:
            raise _nonsense(error) from None

    def heard(self, result: Any) -> Happening | None:
        """What it says; ``None`` for what its release does not know, ``Refused`` for what makes no sense."""
        try:
            return self.dialect.hear(result)
        except (Invalid, TypeError) as error:
            raise _nonsense(error) from None

    @asynccontextmanager
    async def _asked(
        self, method: str, params: Mapping[str, Any], key: str, accept: str, patience: float
    ) -> AsyncIterator[httpx.Response]:
        """The answer, if it is one; whatever goes wrong while it is read is one of our failures."""
        request = self._request(method, params, key, accept, patience)
        try:
            answer = await self.transport.handle_async_request(request)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise NotTaken(str(error) or "it does not answer") from None
        except httpx.LocalProtocolError:  # whose words may have the credential in them
            raise Refused(0, "it cannot be asked: such a request cannot be made") from None
        except Unavailable as error:
            raise NotTaken(error.message) from None
        except Invalid as error:
            raise Refused(0, error.problem) from None
        except httpx.HTTPError as error:
            raise Lost(str(error) or _CUT) from None
        async with aclosing(answer):
            try:
                await _require_ok(answer)
                yield answer
            except httpx.HTTPError as error:
                raise Lost(str(error) or _CUT) from None
            except (orjson.JSONDecodeError, EventTooLarge) as error:
                raise _nonsense(error) from None

    def _request(self, method: str, params: Mapping[str, Any], key: str, accept: str, patience: float) -> httpx.Request:
        told = {**params, "tenant": self.peer.tenant} if self.peer.tenant else params
        body = {"jsonrpc": "2.0", "id": next(self._ids), "method": _METHODS[self.dialect.name][method], "params": told}
        headers = {"Content-Type": "application/json", "Accept": accept, "Accept-Encoding": "identity"}
        if self.dialect is V1:
            headers["A2A-Version"] = V1.name
        if key:
            headers["Idempotency-Key"] = key
        told_by = [(name.encode(), value.encode()) for name, value in headers.items()]
        if (sign_in := self.peer.sign_in) is not None:
            told_by.append((sign_in.header.encode(), f"{sign_in.prefix}{self.credential}".encode()))
        return httpx.Request(
            "POST",
            self.peer.url,
            headers=told_by,
            content=encode(body),
            extensions={"timeout": {**_TIMEOUT, "read": patience}},
        )


async def _require_ok(answer: httpx.Response) -> None:
    status = answer.status_code
    if status == httpx.codes.OK:
        return
    if status in _LATER:
        raise NotTaken(f"it answers with status {status}")
    if status >= 500:
        raise Lost(f"it answers with status {status}")
    _error_in(await _whole(answer))
    raise Refused(status, f"it answers with status {status}")


def _nonsense(error: object = "") -> Refused:
    return Refused(0, f"it answers what is none of the protocol: {error}".rstrip(": "))


def _error_in(body: bytes) -> None:
    """Raise what the body says is wrong, if it says so in JSON-RPC."""
    try:
        told = orjson.loads(body)
    except ValueError:
        return
    if isinstance(told, dict) and isinstance(told.get("error"), dict):
        _result(told)


async def _read(text: bytes | str, read: Callable[[Any], T]) -> T:
    def read_now() -> T:
        return read(_result(orjson.loads(text)))

    return await asyncio.to_thread(read_now) if len(text) > _LARGE else read_now()


async def _whole(answer: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in answer.aiter_raw():
        body += chunk
        if len(body) > _MOST_OF_ANSWER:
            raise Refused(0, f"it answers more than {_MOST_OF_ANSWER:,} bytes")
    return bytes(body)


def _result(told: Any) -> Any:
    """The result of a call; ``Refused`` where the agent says that there is none."""
    error = told.get("error") if isinstance(told, dict) else None
    if isinstance(error, dict):
        code = error.get("code")
        raise Refused(code if isinstance(code, int) else 0, fit(str(error.get("message", "it says why not")), MESSAGE))
    if not isinstance(told, dict) or "result" not in told:
        raise _nonsense()
    return told["result"]
