"""The courier: one POST, and the status of the answer."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Final

import httpx

from codetether_adapters.outgoing.allowing import Allowed
from codetether_adapters.outgoing.resolving import Resolve
from codetether_adapters.outgoing.transport import GuardedTransport, open_transport, place_of
from codetether_core.errors import Busy, Invalid, Unavailable
from codetether_core.ports import Courier

__all__ = ["open_courier"]

_AT_ONCE: Final = 64
"""Requests; the others wait for their turn, which is no time that a receiver takes."""

_LOOKING_UP: Final = 5.0
"""Seconds for a name's addresses, while somebody waits to be told whether a URL will do."""


@asynccontextmanager
async def open_courier(
    allowed: Allowed, *, resolve: Resolve | None = None, context: ssl.SSLContext | None = None
) -> AsyncIterator[Courier]:
    """Goes where a guarded transport goes, of which the arguments are."""
    async with open_transport(allowed, resolve=resolve, context=context) as transport:
        yield _Courier(transport)


class _Courier:
    """Brings it (a ``Courier``)."""

    def __init__(self, transport: GuardedTransport) -> None:
        self._transport = transport
        self._room = asyncio.Semaphore(_AT_ONCE)

    async def check(self, field: str, url: str) -> None:
        """Resolve it once. A name that has no address now may have one by the time that it is needed."""
        with suppress(Unavailable, TimeoutError):
            async with asyncio.timeout(_LOOKING_UP):
                await self._transport.guard.addresses(field, *place_of(_url(field, url)))

    async def deliver(self, url: str, headers: Mapping[str, str], body: bytes, timeout: timedelta) -> int:
        """As soon as the head of the answer is there, the connection is closed."""
        request = httpx.Request("POST", _url("url", url), headers=headers, content=body)
        await self._turn(timeout)
        try:
            async with asyncio.timeout(timeout.total_seconds()):
                answer = await self._transport.handle_async_request(request)
                await answer.aclose()
        except TimeoutError:
            raise Unavailable(f"There was no answer within {timeout.total_seconds():g} seconds") from None
        except httpx.HTTPError as error:
            raise Unavailable(f"There was no answer: {error or type(error).__name__}") from None
        finally:
            self._room.release()
        return answer.status_code

    async def _turn(self, timeout: timedelta) -> None:
        """Wait for it; who has it must release the room."""
        try:
            async with asyncio.timeout(timeout.total_seconds()):
                await self._room.acquire()
        except TimeoutError:
            raise Busy(f"{_AT_ONCE} other requests are being made") from None


def _url(field: str, url: str) -> httpx.URL:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise Invalid(field, f"must be a URL of http or https: {error}") from None
    host, port = parsed.host, parsed.port
    if parsed.scheme not in ("http", "https") or not host or parsed.userinfo or not 0 < (port or 1) < 65536:
        raise Invalid(field, "must be a URL of http or https, without credentials")
    return parsed
