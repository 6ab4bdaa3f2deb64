"""What a handler is given: one request, authenticated, authorized and matched, with nothing of it read yet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from typing import Any, TypeVar

import attrs
from attrs import define
from starlette.types import Receive, Scope

from codetether_adapters.http.authentication import Authentication
from codetether_adapters.http.bodies import Limits, body_chunks, read_body, read_json
from codetether_adapters.http.browser import Browser
from codetether_adapters.http.drain import Drain
from codetether_adapters.http.headers import Headers
from codetether_adapters.http.limiting import Limiting
from codetether_adapters.http.queries import read_pairs, read_query
from codetether_adapters.http.request import Request
from codetether_adapters.http.streams import EventStream, departure
from codetether_core import codec
from codetether_core.access import Principal
from codetether_core.errors import Invalid, Unavailable
from codetether_core.events import Cursor
from codetether_core.services import Services

__all__ = ["Call"]

T = TypeVar("T")


@define(eq=False)
class Call:
    """One request. ``path`` holds the parameters of the route's path, ``alias`` names the prefix it came through.

    ``address`` is the client's, ``browser`` what is to be known of it if it is one. Below the path
    ``tools_at`` runs find tools, if they find any here.
    """

    scope: Scope
    receive: Receive
    services: Services
    principal: Principal
    path: Mapping[str, str]
    headers: Headers
    alias: str
    request: Request
    browser: Browser
    limits: Limits
    drain: Drain
    authentication: Authentication
    address: str
    limiting: Limiting
    tools_at: str | None = None

    def query(self, cls: type[T]) -> T:
        """The query string as an attrs class; ``Invalid`` names the parameter that is wrong."""
        return read_query(cls, self.scope["query_string"])

    @property
    def pairs(self) -> Mapping[str, str]:
        """The query string as it is, for protocols that have names and rules of their own."""
        return read_pairs(self.scope["query_string"])

    async def body(self, cls: type[T]) -> T:
        """The JSON body as an attrs class; ``Invalid`` names the member that is wrong.

        No body at all stands for ``{}`` where the class requires nothing.
        """
        raw = await self.read()
        data = {} if not raw and _requires_nothing(cls) else read_json(raw, self.limits.depth)
        if not isinstance(data, dict):
            raise Invalid("", "the body must be a JSON object")
        return codec.parse(cls, data)

    async def json(self) -> Any:
        """The JSON body as plain values."""
        return read_json(await self.read(), self.limits.depth)

    async def read(self) -> bytes:
        """The body's bytes; ``TooLarge`` beyond the limit, ``TooSlow``, ``EncodingUnsupported``. Once only."""
        return await read_body(self.receive, self.headers, self.limits.body, self.limits.patience)

    def file(self) -> AsyncGenerator[bytes, None]:
        """The body's bytes as they come, within the limit for files. Once only."""
        return body_chunks(self.receive, self.headers, self.limits.file, self.limits.patience)

    @property
    def last_event_id(self) -> str | None:
        """The ``Last-Event-ID`` with which a reader comes back."""
        return self.headers.get("last-event-id") or None

    @property
    def since(self) -> Cursor | None:
        """Where to go on reading: the cursor in ``Last-Event-ID``, else in ``?since=``; ``None`` without both."""
        if (last := self.last_event_id) is not None:
            return Cursor.parse(last)
        text = self.query(_Since).since
        return Cursor.parse(text, "since") if text else None

    def stream(self, source: AsyncIterator[bytes], *, farewell: bytes = b"") -> EventStream:
        """``source``'s frames as the answer, until it ends, the client goes or we leave (``farewell`` first, if any).

        It ends as well when what the client showed no longer counts.

        ``Unavailable`` if we are leaving already: the client should go to another replica.
        """
        self.may_stream()
        return EventStream(source, drain=self.drain, farewell=farewell, standing=self._standing)

    def may_stream(self) -> None:
        """``Unavailable`` as from ``stream``, for who has to know before anything is done."""
        if self.drain.begun:
            raise Unavailable("This server is shutting down", hint="connect again")

    @asynccontextmanager
    async def attended(self, fall: Callable[[], None]) -> AsyncIterator[None]:
        """Within, ``fall`` is called when nobody waits for the answer any more.

        That is when the client goes, or what it showed no longer counts, and when we leave. The body has been read.
        """
        watcher = asyncio.ensure_future(departure(self.receive))
        watcher.add_done_callback(lambda watcher: None if watcher.cancelled() else fall())
        try:
            with self.standing(fall):
                yield
        finally:
            watcher.cancel()

    @contextmanager
    def standing(self, fall: Callable[[], None]) -> Iterator[None]:
        """Within, ``fall`` is called when what the client showed no longer counts, and when we leave."""
        with self.drain.watched(fall), self._standing(fall):
            yield

    @property
    def base_url(self) -> str:
        """Our address as the client has it, without a slash at its end."""
        return self.browser.site.address(self.scope, self.headers)

    @contextmanager
    def _standing(self, fall: Callable[[], None]) -> Iterator[None]:
        """Within, ``fall`` is called when the time of what the client showed is over, or it is taken back."""
        with ExitStack() as stack:
            if (ends := self.principal.expires_at) is not None:
                left = (ends - self.services.clock.now()).total_seconds()
                stack.callback(asyncio.get_running_loop().call_later(max(0.0, left), fall).cancel)
            stack.enter_context(self.authentication.authenticator.standing(self.principal, fall))
            yield


@attrs.frozen
class _Since:
    since: str = ""


def _requires_nothing(cls: type) -> bool:
    return all(attribute.default is not attrs.NOTHING for attribute in attrs.fields(cls))
