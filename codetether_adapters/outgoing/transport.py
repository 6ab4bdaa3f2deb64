"""A transport of httpx that connects to the very addresses which were judged.

Nothing is asked twice: between judging and connecting no other resolver has a say. Every request has a connection of
its own, since one that was opened to a server under one name may not be used for another at the same address.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import httpx

from codetether_adapters.outgoing.allowing import Allowed
from codetether_adapters.outgoing.guard import Guard
from codetether_adapters.outgoing.resolving import Resolve, Resolver

__all__ = ["GuardedTransport", "open_transport", "place_of"]

_PORTS: Final = {"http": 80, "https": 443}


class GuardedTransport(httpx.AsyncBaseTransport):
    """Follows no redirection and uses no proxy: what comes back is what the address itself said."""

    def __init__(self, guard: Guard, context: ssl.SSLContext | None = None) -> None:
        self.guard = guard
        self._transport = httpx.AsyncHTTPTransport(
            verify=context or httpx.create_ssl_context(),
            trust_env=False,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """The answer of the first address that takes the connection; ``Invalid`` where none may be asked."""
        host, port = place_of(request.url)
        *others, last = await self.guard.addresses("url", host, port)
        for address in others:
            try:
                return await self._transport.handle_async_request(_pinned(request, host, address))
            except (httpx.ConnectError, httpx.ConnectTimeout):  # it has seen nothing of the request
                continue
        return await self._transport.handle_async_request(_pinned(request, host, last))

    async def aclose(self) -> None:
        """End what is under way."""
        await self._transport.aclose()


@asynccontextmanager
async def open_transport(
    allowed: Allowed, *, resolve: Resolve | None = None, context: ssl.SSLContext | None = None
) -> AsyncIterator[GuardedTransport]:
    """One that goes to public addresses, and where it is allowed to besides.

    ``resolve`` is asked for addresses in place of this machine's resolver, ``context`` what certificates count.
    """
    resolver = Resolver()
    try:
        async with GuardedTransport(Guard(allowed, resolve or resolver), context) as transport:
            yield transport
    finally:
        resolver.close()


def place_of(url: httpx.URL) -> tuple[str, int]:
    """The host as it is looked up, and the port."""
    return url.raw_host.decode("ascii"), url.port or _PORTS[url.scheme]


def _pinned(request: httpx.Request, host: str, address: str) -> httpx.Request:
    """To the address in the host's name, in the header ``Host`` and, over TLS, in the certificate that is wanted."""
    return httpx.Request(
        request.method,
        request.url.copy_with(host=address),
        headers=request.headers,
        stream=request.stream,
        extensions={**request.extensions, "sni_hostname": host},
    )
