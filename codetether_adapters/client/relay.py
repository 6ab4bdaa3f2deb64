"""Passing requests on to a server as they are, and its answers back as they come."""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Final, TypeAlias
from urllib.parse import urlsplit, urlunsplit

import httpx
from attrs import define, evolve, field, frozen

from codetether_adapters.client.outgoing import encoded_headers
from codetether_adapters.client.server import Server, find_server
from codetether_adapters.client.transport import translated

__all__ = ["RawHeaders", "Relay", "Relayed", "open_relay"]

_CONNECT: Final = 10.0
_AT_ONCE: Final = 1_000

RawHeaders: TypeAlias = Sequence[tuple[bytes, bytes]]


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
    url: str, *, tls: ssl.SSLContext | None = None, personal: bool = False
) -> AsyncGenerator[Relay, None]:
    """A relay that shows what it is given with a request, and nothing of its own.

    It keeps no cookie, which would be the next one's. A ``personal`` one, of which one user alone asks, shows the
    user information that the URL has.
    """
    server = find_server(url, environment={})
    if not personal:
        server = evolve(server, url=_without_user(server.url))
    limits = httpx.Limits(max_connections=_AT_ONCE, max_keepalive_connections=20)
    timeout = httpx.Timeout(None, connect=_CONNECT)
    headers, verify = encoded_headers(server.headers), tls or True
    cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))
    async with httpx.AsyncClient(
        base_url=server.url, headers=headers, verify=verify, cookies=cookies, limits=limits, timeout=timeout
    ) as http:
        yield Relay(server, http)


def _without_user(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
