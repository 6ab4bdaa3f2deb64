"""Real servers on free loopback ports, for clients that block as well as for those that do not."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from itertools import count
from pathlib import Path

import orjson
import uvicorn
from attrs import define, field, frozen
from starlette.types import ASGIApp, Receive, Scope, Send

from codetether_apps.settings import read_settings
from codetether_apps.wiring.application import open_application

TOKEN = "a-token-of-the-tests"


class Served:
    """An application under uvicorn, in a thread of its own."""

    def __init__(self, opened: Callable[[], AbstractAsyncContextManager[tuple[ASGIApp, Callable[[], None]]]]) -> None:
        self._opened = opened
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._leave: asyncio.Event | None = None
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(10), "the server did not start"

    def stop(self) -> None:
        assert self._loop is not None
        assert self._leave is not None
        self._loop.call_soon_threadsafe(self._leave.set)
        self._thread.join(10)
        assert not self._thread.is_alive(), "the server did not stop"
        self._socket.close()

    async def _run(self) -> None:
        self._loop, self._leave = asyncio.get_running_loop(), asyncio.Event()
        async with self._opened() as (app, drain):
            config = uvicorn.Config(app, log_level="critical", ws="none", lifespan="off", timeout_graceful_shutdown=1)
            server = uvicorn.Server(config)
            server.capture_signals = _nothing_captured  # type: ignore[method-assign]
            serving = asyncio.create_task(server.serve(sockets=[self._socket]))
            self._socket.listen()  # connections wait in the socket until the server takes them
            self._ready.set()
            await self._leave.wait()
            drain()
            server.should_exit = True
            await serving


@contextmanager
def _nothing_captured() -> Iterator[None]:
    yield


@define
class Fakes:
    """One server for all fakes, each below a path of its own; it starts with the first."""

    _apps: dict[str, ASGIApp] = field(factory=dict, init=False)
    _count: Iterator[int] = field(factory=count, init=False)
    _served: Served | None = field(default=None, init=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        _, place, rest = scope["path"].split("/", 2)
        await self._apps[place]({**scope, "path": f"/{rest}"}, receive, send)

    def add(self, app: ASGIApp) -> str:
        if self._served is None:
            self._served = Served(self._opened)
            self._served.start()
        place = f"fake{next(self._count)}"
        self._apps[place] = app
        return f"{self._served.url}/{place}"

    def stop(self) -> None:
        if self._served is not None:
            self._served.stop()
            self._served = None

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[tuple[ASGIApp, Callable[[], None]]]:
        yield self, lambda: None


fakes = Fakes()


@contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """The address of a fake."""
    yield fakes.add(app)


def nobody() -> str:
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def hub() -> Iterator[str]:
    """The address of a real CodeTether, over memory; ``TOKEN`` opens it."""
    environment = {
        "CODETETHER_STORE": "memory://",
        "CODETETHER_TOKENS": f"tester:{TOKEN}:admin",
        "CODETETHER_DATA_DIR": "/nonexistent",
        "CODETETHER_OUTGOING_ALLOW": "127.0.0.1",
    }

    @asynccontextmanager
    async def opened() -> AsyncIterator[tuple[ASGIApp, Callable[[], None]]]:
        settings = read_settings(environment=environment, directory=Path("/nonexistent"))
        async with open_application(settings) as application:
            yield application.application, application.application.drain.begin

    served = Served(opened)
    served.start()
    try:
        yield served.url
    finally:
        served.stop()


class Lost(Exception):
    """Raised by a fake to cut the connection."""


@frozen(kw_only=True)
class Reply:
    """One answer. ``lost`` cuts the connection before it is whole."""

    status: int = 200
    json: object = None
    body: bytes | None = None
    headers: dict[str, str] = field(factory=dict)
    lost: bool = False

    async def send(self, send: Send) -> None:
        body = orjson.dumps(self.json) if self.body is None else self.body
        headers = [(name.lower().encode(), value.encode()) for name, value in self.headers.items()]
        if self.lost and not self.headers:
            headers.append((b"content-length", b"%d" % (len(body) + 1)))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": body, "more_body": self.lost})
        if self.lost:
            raise Lost


@frozen
class Heard:
    """A request that the fake got."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> object:
        return orjson.loads(self.body)


@define
class Script:
    """An ASGI application that answers by a list, its last entry for ever; what it heard is kept."""

    replies: list[Reply | Callable[[Heard], Reply]]
    heard: list[Heard] = field(factory=list)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        heard = Heard(scope["method"], scope["path"], scope["query_string"].decode(), headers, body)
        reply = self.replies[min(len(self.heard), len(self.replies) - 1)]
        self.heard.append(heard)
        await (reply(heard) if callable(reply) else reply).send(send)


EVENT_STREAM = {"content-type": "text/event-stream"}


def cut(body: bytes) -> Reply:
    """An event stream that breaks off after ``body``."""
    return Reply(body=body, headers=EVENT_STREAM, lost=True)


def ended(body: bytes) -> Reply:
    """An event stream that ends properly after ``body``."""
    return Reply(body=body, headers=EVENT_STREAM)
