"""The whole API in this process: the application over a backend, a clock that is told the time, and SSE readers."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from attrs import define, field
from starlette.types import Message, Scope

from codetether_adapters.http import Application, create_app, encode_json
from codetether_adapters.memory import MemoryBlobs
from codetether_adapters.sse import Decoder, ServerSentEvent
from codetether_adapters.tokens import StaticToken, StaticTokens
from codetether_core.ports import Backend, BlobStore
from codetether_core.services import RolePolicy, Services, assemble
from tests.http.conformance import check, checked, every_route

PATIENCE = 30.0
START = datetime(2026, 11, 22, 12, tzinfo=UTC)
TOKENS = {
    "alice": ("alice-token", ("editor",)),
    "ann": ("ann-token", ("agent",)),
    "ben": ("ben-token", ("agent",)),
    "bot": ("bot-token", ("worker",)),
    "other": ("other-token", ("worker",)),
    "deployed": ("deployed-token", ("editor", "worker")),
    "eve": ("eve-token", ("viewer",)),
    "olga": ("olga-token", ("operator",)),
}


@define
class FakeClock:
    """The time is what the test says."""

    moment: datetime = START

    def now(self) -> datetime:
        self.moment += timedelta(microseconds=1)
        return self.moment

    def advance(self, duration: timedelta) -> None:
        self.moment += duration

    async def sleep(self, duration: timedelta) -> None:
        self.advance(duration)
        await asyncio.sleep(0)


class Dice:
    """Real entropy."""

    def bytes(self, count: int) -> bytes:
        return secrets.token_bytes(count)

    def fraction(self) -> float:
        return 0.5


@define(eq=False)
class Caller:
    """Somebody with a token."""

    client: httpx.AsyncClient
    name: str
    headers: Mapping[str, str]

    async def __call__(self, method: str, path: str, json: Any = None, **options: Any) -> httpx.Response:
        headers = {**self.headers, **options.pop("headers", {})}
        if json is not None:
            options["json"] = json
        return await self.client.request(method, path, headers=headers, **options)

    async def ok(self, method: str, path: str, json: Any = None, **options: Any) -> Any:
        """The JSON of an answer that has to be 200."""
        answer = await self(method, path, json, **options)
        assert answer.status_code == 200, (method, path, answer.status_code, answer.text)
        return answer.json()

    async def refused(self, status: int, method: str, path: str, json: Any = None, **options: Any) -> Any:
        """The problem of an answer that has to have that status."""
        answer = await self(method, path, json, **options)
        assert answer.status_code == status, (method, path, answer.status_code, answer.text)
        assert answer.headers["content-type"] == "application/problem+json"
        return answer.json()


@define(eq=False)
class Api:
    """The application and those who use it."""

    app: Application
    services: Services
    clock: FakeClock
    client: httpx.AsyncClient

    def __getattr__(self, name: str) -> Caller:
        if name not in TOKENS:
            raise AttributeError(name)
        return Caller(self.client, name, {"Authorization": f"Bearer {TOKENS[name][0]}"})

    async def codebase(self, name: str = "demo", path: str = "/srv/demo", worker: str | None = None) -> str:
        """A registered codebase's id."""
        body = {"name": name, "path": path} | ({"worker_id": worker} if worker else {})
        answer = await self.bot.ok("POST", "/v1/agent/codebases", body)
        return str(answer["id"])

    async def task(self, **members: Any) -> dict[str, Any]:
        """A submitted task."""
        answer = await self.alice.ok("POST", "/v1/agent/tasks", {"prompt": "do it", **members})
        return dict(answer)

    async def claimed(self, id: str, worker: str = "w1", *, lease: bool = True, **options: Any) -> dict[str, Any]:
        """The answer to a claim."""
        body = {"task_id": id, "worker_id": worker, "lease": lease}
        return dict(await self.bot.ok("POST", "/v1/worker/tasks/claim", body, **options))

    async def shown(self, id: str) -> dict[str, Any]:
        """The task as it is."""
        return dict(await self.alice.ok("GET", f"/v1/agent/tasks/{id}"))

    @asynccontextmanager
    async def watch(self, path: str, who: str = "alice", *, json: Any = None, **headers: str) -> AsyncIterator[Stream]:
        """An open event stream; one that is asked for with a body, if there is any."""
        stream = Stream(self.app, path, {"Authorization": f"Bearer {TOKENS[who][0]}", **headers}, encode_json(json))
        await stream.begin()
        try:
            yield stream
        finally:
            await stream.cut()


@asynccontextmanager
async def open_api(backend: Backend, blobs: BlobStore | None = None) -> AsyncIterator[Api]:
    """The API over a backend."""
    clock = FakeClock()
    services = assemble(backend, clock, Dice(), blobs=blobs or MemoryBlobs())
    tokens = StaticTokens(StaticToken.of(name, token, roles) for name, (token, roles) in TOKENS.items())
    app = create_app(services, authenticator=tokens, authorizer=RolePolicy(), routes=every_route(services))
    transport, hooks = httpx.ASGITransport(app), checked(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://server", event_hooks=hooks) as client:
        yield Api(app, services, clock, client)


@define(eq=False)
class Stream:
    """One open SSE response, read as it comes."""

    app: Application
    url: str
    headers: Mapping[str, str]
    body: bytes = b"null"
    status: int = 0
    raw: bytes = b""
    ended: bool = False
    _sent: asyncio.Queue[Message] = field(factory=asyncio.Queue)
    _received: asyncio.Queue[Message] = field(factory=asyncio.Queue)
    _decoder: Decoder = field(factory=Decoder)
    _events: list[ServerSentEvent] = field(factory=list)
    _task: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Send the request and read the head of the answer."""
        path, _, query = self.url.partition("?")
        method, body = ("GET", b"") if self.body == b"null" else ("POST", self.body)
        scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [
                (b"host", b"server"),
                *((name.lower().encode(), value.encode()) for name, value in self.headers.items()),
            ],
            "client": ("127.0.0.1", 1),
            "server": ("server", 80),
        }
        self._received.put_nowait({"type": "http.request", "body": body, "more_body": False})
        self._task = asyncio.create_task(self.app(scope, self._received.get, self._sent.put))
        head = await asyncio.wait_for(self._sent.get(), PATIENCE)
        self.status = head["status"]
        media_type = dict(head["headers"])[b"content-type"].decode().partition(";")[0]
        if self.status == 200:
            check(self.app, method, path.encode(), self.status, media_type)

    async def chunk(self) -> bytes:
        """The next chunk; empty at the end."""
        while not self.ended:
            message = await asyncio.wait_for(self._sent.get(), PATIENCE)
            body: bytes = message.get("body", b"")
            self.ended = not message.get("more_body", False)
            if body:
                self.raw += body
                self._events += self._decoder.feed(body)
                return body
        return b""

    async def event(self) -> ServerSentEvent:
        """The next event."""
        while not self._events:
            assert await self.chunk(), "the stream has ended"
        return self._events.pop(0)

    async def rest(self) -> list[ServerSentEvent]:
        """All events up to the end of the stream."""
        while await self.chunk():
            pass
        events, self._events = self._events, []
        return events

    @property
    def last_event_id(self) -> str:
        """Where to go on reading."""
        return self._decoder.last_event_id

    async def problem(self) -> Any:
        """The body of an answer that is no stream."""
        while await self.chunk():
            pass
        return json.loads(self.raw)

    async def cut(self) -> None:
        """Go away, and wait until the server has noticed."""
        self._received.put_nowait({"type": "http.disconnect"})
        if self._task is not None:
            await asyncio.wait_for(self._task, PATIENCE)


def data(event: ServerSentEvent) -> Any:
    """An event's data."""
    return json.loads(event.data)
