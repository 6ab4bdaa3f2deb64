"""The application as a server sees it: its life, and the scopes that are not HTTP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send
from structlog.testing import capture_logs

from codetether_adapters.http import Application, Call, Json, Route
from codetether_core.access import PUBLIC
from tests.http.harness import application, client_of


async def speak(app: Application, scope: dict[str, Any], *messages: str) -> list[dict[str, Any]]:
    incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    for message in messages:
        incoming.put_nowait({"type": message})
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, incoming.get, send)
    return sent


LIFE = ("lifespan.startup", "lifespan.shutdown")


async def test_the_lifespan_is_entered_and_left_and_leaving_begins_with_the_drain() -> None:
    seen: list[object] = []

    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        seen.append("entered")
        yield
        seen.append(app.drain.begun)

    app = application(lifespan=lifespan)
    sent = await speak(app, {"type": "lifespan"}, *LIFE)
    assert [message["type"] for message in sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    assert seen == ["entered", True]


@pytest.mark.parametrize("phase", ["startup", "shutdown"])
async def test_a_lifespan_that_fails_is_told_without_its_text(phase: str) -> None:
    @asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        if phase == "startup":
            raise RuntimeError("hunter2")
        yield
        raise RuntimeError("hunter2")

    with capture_logs() as logs:
        sent = await speak(application(lifespan=lifespan), {"type": "lifespan"}, *LIFE)
    assert sent[-1] == {"type": f"lifespan.{phase}.failed", "message": "RuntimeError"}
    assert [(entry["event"], entry["phase"]) for entry in logs] == [("lifespan_failed", phase)]


async def test_a_websocket_is_refused_politely() -> None:
    sent = await speak(application(), {"type": "websocket", "path": "/"}, "websocket.connect")
    assert sent == [{"type": "websocket.close", "code": 1008}]


async def test_an_unknown_scope_is_refused() -> None:
    with pytest.raises(NotImplementedError, match="carrier-pigeon"):
        await speak(application(), {"type": "carrier-pigeon"})


async def test_an_answer_may_be_another_application() -> None:
    """So a protocol's own server (MCP) is mounted behind our authentication."""

    async def mounted(scope: Scope, receive: Receive, send: Send) -> None:
        await Json({"path": scope["path"], "body": (await receive())["body"].decode()})(scope, receive, send)

    async def mount(call: Call) -> Any:
        return mounted

    async with client_of(application(Route("POST", "/mcp/{rest:path}", mount, PUBLIC))) as client:
        answer = await client.post("/mcp/v1/rpc", content="hello")
        assert answer.json() == {"path": "/mcp/v1/rpc", "body": "hello"}
        assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_server_may_leave_out_the_raw_path() -> None:
    async def own(call: Call) -> Json:
        return Json(dict(call.path))

    app = application(Route("GET", "/{name}", own, PUBLIC))
    scope = {"type": "http", "method": "GET", "path": "/ä%", "query_string": b"", "headers": []}
    sent = await speak(app, scope)
    assert sent[1]["body"] == '{"name":"ä%"}'.encode()
