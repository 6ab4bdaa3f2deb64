"""An application over nothing, a client for it, and a peer that speaks ASGI by hand."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import httpx
from starlette.types import ASGIApp, Message

from codetether_adapters.http import Application, Call, Json, Route, create_app
from codetether_adapters.memory.audit import MemoryAudit
from codetether_adapters.system import SystemEntropy
from codetether_adapters.tokens import StaticToken, StaticTokens
from codetether_core.access import PUBLIC, ROLES
from codetether_core.ports import Clock
from codetether_core.redaction import Redactor
from codetether_core.services import Notes, Recording, Redaction, RolePolicy, Services

NOW = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)
TOKENS = StaticTokens(StaticToken.of(name, f"{name}-token", [name]) for name in ROLES)
EDITOR = {"Authorization": "Bearer editor-token"}


async def answers() -> None:
    """A store that is there."""


class _NoSecrets:
    """Of no tenant."""

    async def of(self, tenant: str) -> Redactor:
        return Redactor.of({})


def services(ping: Callable[[], Any] = answers, notifier: Callable[[], Any] = answers) -> Services:
    """As much of the services as the framework itself asks."""
    backend = SimpleNamespace(ping=ping, notifier=SimpleNamespace(ping=notifier))
    clock = SimpleNamespace(now=lambda: NOW)
    notes = Notes(cast(Clock, clock), SystemEntropy())
    recording = Recording(MemoryAudit("trail"), cast(Clock, clock), notes, cast(Redaction, _NoSecrets()))
    return cast(Services, SimpleNamespace(backend=backend, clock=clock, recording=recording))


def application(
    *routes: Route, ping: Callable[[], Any] = answers, notifier: Callable[[], Any] = answers, **settings: Any
) -> Application:
    settings = {"authenticator": TOKENS, "authorizer": RolePolicy(), **settings}
    return create_app(services(ping, notifier), routes=routes, **settings)


def raising(error: Exception) -> Route:
    """A public route, GET /, whose handler fails."""

    async def handler(call: Call) -> Json:
        raise error

    return Route("GET", "/", handler, PUBLIC)


@asynccontextmanager
async def client_of(app: ASGIApp, **settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://hub.test", **settings) as client:
        yield client


class Peer:
    """The other side of one ASGI request: it hears what is sent as it is sent, and leaves when it likes."""

    def __init__(
        self, app: ASGIApp, path: str = "/", *, method: str = "GET", headers: dict[str, str] | None = None
    ) -> None:
        self.sent: list[Message] = []
        self.incoming: asyncio.Queue[Message] = asyncio.Queue()
        self.reading = asyncio.Event()
        self.reading.set()
        self._news = asyncio.Event()
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()],
        }
        self.task = asyncio.ensure_future(app(scope, self.incoming.get, self._send))

    async def _send(self, message: Message) -> None:
        self.sent.append(message)
        self._news.set()
        await self.reading.wait()

    def say(self, body: bytes = b"", *, more: bool = False) -> None:
        self.incoming.put_nowait({"type": "http.request", "body": body, "more_body": more})

    def leave(self) -> None:
        self.incoming.put_nowait({"type": "http.disconnect"})

    async def until(self, wanted: Callable[["Peer"], bool]) -> None:
        """Wait until what was sent is as wanted; a test that waits in vain is ended after five seconds."""
        async with asyncio.timeout(5):
            while not wanted(self):
                self._news.clear()
                await self._news.wait()

    async def end(self) -> None:
        """Wait until the application has returned."""
        async with asyncio.timeout(5):
            await self.task

    @property
    def status(self) -> int | None:
        return self.sent[0]["status"] if self.sent else None

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.sent[0]["headers"]}

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent[1:])

    def is_complete(self) -> bool:
        """Whether the answer was ended properly."""
        return bool(self.sent) and self.sent[-1]["type"] == "http.response.body" and not self.sent[-1].get("more_body")
