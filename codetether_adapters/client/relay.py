"""Passing requests on to a server as they are, and its answers back as they come."""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Final

import httpx
from attrs import define, field, frozen

from codetether_adapters.client.outgoing import encoded_headers
from codetether_adapters.client.server import Server, find_server
from codetether_adapters.client.transport import translated

__all__ = ["Relay", "Relayed", "open_relay"]

_CONNECT: Final = 10.0
_AT_ONCE: Final = 1_000

RawHeaders = Sequence[tuple[bytes, bytes]]


@frozen(eq=False)
class Relayed:
    """The server's answer, whose body comes."""

    status: int
    headers: RawHeaders
    chunks: AsyncIterator[bytes]


@define(eq=False)
class Relay:
    """To one server. Nothing is repeated: whoever asked decides that."""

    server: Server
    _http: httpx.AsyncClient = field(repr=False)

    @asynccontextmanager
    async def send(
        self, method: str, path: str, headers: RawHeaders = (), body: bytes = b""
    ) -> AsyncGenerator[Relayed, None]:
        """The answer to a request; leaving the context before its end closes the connection.

        ``ConnectionFailed`` if there is none, or if it breaks off.
        """
        with translated(self.server):
            request = self._http.build_request(method, path, headers=[*headers], content=body)
            response = await self._http.send(request, stream=True)
            async with aclosing(response):
                yield Relayed(response.status_code, response.headers.raw, response.aiter_raw())


@asynccontextmanager
async def open_relay(
    url: str, *, token: str | None = None, tls: ssl.SSLContext | None = None
) -> AsyncGenerator[Relay, None]:
    """A relay that shows the token, if it is given one, and nothing else of its own."""
    server = find_server(url, token, tls=tls, environment={})
    limits = httpx.Limits(max_connections=_AT_ONCE, max_keepalive_connections=20)
    timeout = httpx.Timeout(None, connect=_CONNECT)
    headers, verify = encoded_headers(server.headers), server.tls or True
    async with httpx.AsyncClient(
        base_url=server.url, headers=headers, verify=verify, limits=limits, timeout=timeout
    ) as http:
        yield Relay(server, http)
