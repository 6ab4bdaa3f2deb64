"""HTTP, and the only module that asks by httpx: one request with its retries, or one stream of bytes.

Both transports have the same ``async`` methods. `AsyncTransport` waits on the event loop; `SyncTransport` blocks and
never suspends, which lets the same code above it serve a client without a loop.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    aclosing,
    asynccontextmanager,
    closing,
    contextmanager,
)
from pathlib import Path
from typing import Any, Final, Protocol

import anyio
import httpx
import stamina
import stamina.instrumentation
from attrs import frozen
from stamina.instrumentation import RetryDetails, RetryHook

from codetether_adapters.client.errors import ConnectionFailed, problem_of
from codetether_adapters.client.outgoing import encoded_headers
from codetether_adapters.client.patience import Patience
from codetether_adapters.client.requests import Answer, Request
from codetether_adapters.client.server import Server
from codetether_adapters.client.tls import Untrusted, tls_with, untrusted
from codetether_core.errors import CodeTetherError, RateLimited, Unavailable

__all__ = ["AsyncTransport", "SyncTransport", "Transport", "translated"]


_CHUNK: Final = 128 * 1024


class Transport(Protocol):
    """Sends requests. ``blocks`` says that its awaitables never wait on an event loop."""

    @property
    def blocks(self) -> bool:
        """Whether awaiting it needs no event loop."""
        ...

    @property
    def patience(self) -> Patience:
        """The limits in force."""
        ...

    @property
    def server(self) -> Server:
        """Whom they are sent to."""
        ...

    async def send(self, request: Request[Any]) -> Answer:
        """The answer, whatever its status but 429 and 503; ``ConnectionFailed`` once retries are used up."""
        ...

    def open(self, request: Request[Any]) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """The bytes of a long answer as they come; refusals are raised, a cut is ``ConnectionFailed``. Not retried."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...

    async def close(self) -> None:
        """Let go of the connections."""
        ...


class AsyncTransport:
    """Over an event loop, asyncio's or trio's."""

    blocks = False

    def __init__(self, server: Server, patience: Patience) -> None:
        self.patience = patience
        self.server = server
        with translated(server):
            self._http = httpx.AsyncClient(
                base_url=server.url, headers=encoded_headers(server.headers), verify=_tls(server)
            )

    async def send(self, request: Request[Any]) -> Answer:
        """See ``Transport``."""
        async for attempt in _attempts(request, self.patience):
            with attempt, translated(self.server):
                return _answer(
                    await self._http.send(_prepared(self._http, request, self.patience, file=_read_async(request.file)))
                )
        raise AssertionError("unreachable")

    @asynccontextmanager
    async def open(self, request: Request[Any]) -> AsyncGenerator[AsyncIterator[bytes]]:
        """See ``Transport``."""
        prepared = _prepared(self._http, request, self.patience, streaming=True)
        with translated(self.server):
            response = await self._http.send(prepared, stream=True)
            async with aclosing(response):
                if response.status_code >= 300:
                    raise problem_of(response.status_code, response.headers, await response.aread())
                yield response.aiter_raw()

    async def sleep(self, seconds: float) -> None:
        """See ``Transport``."""
        await anyio.sleep(seconds)

    async def close(self) -> None:
        """See ``Transport``."""
        await self._http.aclose()


class SyncTransport:
    """Blocking."""

    blocks = True

    def __init__(self, server: Server, patience: Patience) -> None:
        self.patience = patience
        self.server = server
        with translated(server):
            self._http = httpx.Client(base_url=server.url, headers=encoded_headers(server.headers), verify=_tls(server))

    async def send(self, request: Request[Any]) -> Answer:
        """See ``Transport``."""
        for attempt in _attempts(request, self.patience):
            with attempt, translated(self.server):
                return _answer(
                    self._http.send(_prepared(self._http, request, self.patience, file=_read_sync(request.file)))
                )
        raise AssertionError("unreachable")

    @asynccontextmanager
    async def open(self, request: Request[Any]) -> AsyncGenerator[AsyncIterator[bytes]]:
        """See ``Transport``."""
        prepared = _prepared(self._http, request, self.patience, streaming=True)
        with translated(self.server):
            response = self._http.send(prepared, stream=True)
            with closing(response):
                if response.status_code >= 300:
                    raise problem_of(response.status_code, response.headers, response.read())
                yield _asynchronous(response.iter_raw())

    async def sleep(self, seconds: float) -> None:
        """See ``Transport``."""
        time.sleep(seconds)  # noqa: ASYNC251 - this transport blocks on purpose

    async def close(self) -> None:
        """See ``Transport``."""
        self._http.close()


@frozen
class _ButOurs:
    """A hook of stamina that hears of all retries in this process but ours; by default they would be printed."""

    hook: RetryHook

    def __call__(self, details: RetryDetails) -> AbstractContextManager[None] | None:
        return None if isinstance(details.caused_by, CodeTetherError) else self.hook(details)


def _keep_quiet() -> None:
    """What we ask again is nobody's news: once it is given up, it is raised."""
    hooks = stamina.instrumentation.get_on_retry_hooks()
    if not all(isinstance(hook, _ButOurs) for hook in hooks):
        stamina.instrumentation.set_on_retry_hooks(
            [hook if isinstance(hook, _ButOurs) else _ButOurs(hook) for hook in hooks]
        )


class _NotSent(ConnectionFailed):
    """The connection was not made, so the server has heard nothing."""


def _attempts(request: Request[Any], patience: Patience) -> Any:
    """The attempts at a request: of one that must not be repeated, only those that the server has not acted on."""

    unheard = (RateLimited, _NotSent)
    retried = (*unheard, Unavailable, ConnectionFailed) if request.repeatable else unheard

    def again(error: Exception) -> bool | float:
        if isinstance(error, Untrusted) or not isinstance(error, retried):
            return False
        _keep_quiet()
        asked_for = float(error.details.get("retry_after", 0))
        return asked_for <= patience.total and (asked_for or True)

    return stamina.retry_context(
        on=again,
        attempts=patience.attempts,
        timeout=patience.total,
        wait_initial=patience.first,
        wait_max=patience.longest,
        wait_jitter=patience.first,
    )


def _read_sync(file: bytes | Path | None) -> bytes | Iterable[bytes] | None:
    """A file's bytes, for one try."""
    return _chunks(file) if isinstance(file, Path) else file


def _read_async(file: bytes | Path | None) -> bytes | AsyncIterable[bytes] | None:
    return _async_chunks(file) if isinstance(file, Path) else file


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


async def _async_chunks(path: Path) -> AsyncIterator[bytes]:
    async with await anyio.open_file(path, "rb") as file:
        while chunk := await file.read(_CHUNK):
            yield chunk


def _prepared(
    http: httpx.AsyncClient | httpx.Client,
    request: Request[Any],
    patience: Patience,
    *,
    streaming: bool = False,
    file: bytes | Iterable[bytes] | AsyncIterable[bytes] | None = None,
) -> httpx.Request:
    content = request.content() if file is None else file
    headers = encoded_headers(request.headers)
    if content is not None:
        headers.setdefault(b"content-type", b"application/json")
    return http.build_request(
        request.method,
        request.path,
        params=request.parameters(),
        headers=headers,
        content=content,
        timeout=_timeout(patience, patience.silence if streaming else patience.read + request.patience),
    )


def _timeout(patience: Patience, read: float) -> httpx.Timeout:
    return httpx.Timeout(patience.read, connect=patience.connect, read=read)


def _tls(server: Server) -> ssl.SSLContext | bool:
    """How to speak TLS, if at all: to read certificates takes longer than a whole command against ``http://`` does."""
    return _tls_to(server) and (server.tls or tls_with())


def _tls_to(server: Server) -> bool:
    return server.url.startswith("https:")


def _answer(response: httpx.Response) -> Answer:
    if response.status_code in (429, 503):
        raise problem_of(response.status_code, response.headers, response.content)
    return Answer(response.status_code, response.headers, response.content)


@contextmanager
def translated(server: Server) -> Iterator[None]:
    """httpx's errors as ours."""
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        if refusal := untrusted(error, server.shown):
            raise refusal from error
        raise _NotSent(
            f"Cannot connect to {server.shown}: {error or 'timed out'}", hint="is it running, and is that its address?"
        ) from error
    except httpx.TimeoutException as error:
        raise ConnectionFailed(f"{server.shown} did not answer in time") from error
    except httpx.RemoteProtocolError as error:
        hint = "it may want a certificate: CODETETHER_CLIENT_CERT" if _tls_to(server) else "it may speak TLS: https://"
        raise ConnectionFailed(f"The connection to {server.shown} was lost: {error}", hint=hint) from error
    except httpx.TransportError as error:
        raise ConnectionFailed(f"The connection to {server.shown} was lost: {error or type(error).__name__}") from error
    except httpx.InvalidURL as error:
        raise ConnectionFailed(
            f"{server.shown} is no address: {error}", hint="for instance http://127.0.0.1:8000"
        ) from error


async def _asynchronous(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
