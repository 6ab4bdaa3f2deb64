"""What ``codetether mcp`` passes on and what it does not, and how it leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import httpx
import pytest

from tests.mcp.upstream import Beside, served

RPC = "/mcp/v1/rpc"
LISTEN = b'{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen"}'
CALL = b'{"jsonrpc":"2.0","id":1,"method":"tools/call"}'
EVENTS = {"Accept": "text/event-stream"}


async def raw(beside: Beside, target: str, *headers: str, host: str = "localhost") -> tuple[int, str]:
    """A request whose target is sent as it is: status and whole answer."""
    url = httpx.URL(beside.url)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    lines = [f"GET {target} HTTP/1.1", f"Host: {host}", "Connection: close", *headers, "", ""]
    writer.write("\r\n".join(lines).encode())
    answer = (await reader.read()).decode()
    writer.close()
    await writer.wait_closed()
    return int(answer.split()[1]), answer


async def test_it_lends_nobody_its_own_identity() -> None:
    async with served(user="admin:secret@") as beside, httpx.AsyncClient() as client:
        await client.post(beside.url + RPC, headers={"Authorization": "Bearer mine"})
        await client.post(beside.url + RPC)
        shown = [headers.get("authorization") for headers in beside.upstream.headers]
    assert shown == ["Bearer mine", None]


async def test_one_clients_cookie_is_not_shown_with_anothers_request() -> None:
    async with served() as beside:
        for _ in range(2):
            async with httpx.AsyncClient() as client:
                await client.post(beside.url + RPC)
        assert ["cookie" in headers for headers in beside.upstream.headers] == [False, False]


@pytest.mark.parametrize(
    "target",
    [
        "/v1/agent/tasks",
        "/mcp/../v1/agent/tasks",
        "/mcp/..%2Fv1/agent/tasks",
        "/mcp/%2e%2e/v1/agent/tasks",
        "/mcp/v1/tasks/..%2F..%2F..%2Fv1%2Fagent%2Ftasks",
        "/mcp/v1/tasks/%2e%2e",
        "/mcp/v1/tasks/",
        "/mcp/v1/other",
        "/mcp/%ff",
        "/.well-known/oauth-protected-resource/../../v1/agent/tasks",
        "/.well-known/oauth-protected-resource/other",
    ],
)
async def test_what_is_not_mcps_is_not_passed_on(target: str) -> None:
    async with served() as beside:
        assert (await raw(beside, target))[0] == 404
        assert beside.upstream.targets == []


PASSED: Sequence[tuple[str, str]] = [
    ("/mcp", "/below/mcp"),
    ("/mcp/v1/rpc", "/below/mcp/v1/rpc"),
    ("/mcp/v1/tools", "/below/mcp/v1/tools"),
    ("/mcp/v1/tasks", "/mcp/v1/tasks"),
    ("/mcp/v1/tasks/t%3Fa%23b", "/mcp/v1/tasks/t%3Fa%23b"),
    ("/readyz", "/readyz"),
    ("/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource"),
    ("/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource"),
    ("/.well-known/oauth-protected-resource/mcp/v1/rpc", "/.well-known/oauth-protected-resource"),
    ("/.well-known/ai-catalog.json", "/.well-known/ai-catalog.json"),
    ("/mcp/v1/rpc/server-card", "/below/mcp/v1/rpc/server-card"),
]


@pytest.mark.parametrize(("asked", "passed"), PASSED)
async def test_what_is_mcps_is(asked: str, passed: str) -> None:
    async with served(prefix="/below") as beside:
        assert (await raw(beside, asked))[0] == 200
        assert beside.upstream.targets == [passed]


async def test_a_foreign_name_of_this_machine_is_refused() -> None:
    async with served() as beside:
        status, answer = await raw(beside, "/mcp/v1/tools", host="evil.example:9000")
        assert (status, "misdirected" in answer) == (421, True)
        assert beside.upstream.targets == []


async def test_the_server_hears_which_page_asks() -> None:
    async with served() as beside:
        await raw(beside, "/mcp/v1/tools", "Sec-Fetch-Site: cross-site", "Origin: http://evil.example")
        (headers,) = beside.upstream.headers
    assert (headers["sec-fetch-site"], headers["origin"]) == ("cross-site", "http://evil.example")


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
async def test_a_call_under_way_is_answered_when_it_leaves(accept: str) -> None:
    async with served() as beside, httpx.AsyncClient() as client:
        beside.upstream.may_answer.clear()
        post = client.post(beside.url + RPC, content=CALL, headers={"Accept": accept})
        asking = asyncio.create_task(post)
        await beside.upstream.asked.wait()
        leaving = asyncio.Event()
        with beside.drain.watched(leaving.set):
            beside.stopping.ask()
            await leaving.wait()
        beside.upstream.may_answer.set()
        answer = await asking
    assert answer.status_code == 200
    assert "here" in answer.text or "answered" in answer.text


async def test_a_stream_is_ended_properly_when_it_leaves() -> None:
    async with served() as beside, httpx.AsyncClient() as client:
        beside.upstream.may_answer.clear()
        async with client.stream("POST", beside.url + RPC, content=LISTEN, headers=EVENTS) as answer:
            await beside.upstream.asked.wait()
            beside.stopping.ask()
            assert (await answer.aread()) == b"data: begun\n\n"


async def test_nothing_new_is_begun_while_it_leaves_but_it_is_alive() -> None:
    async with served() as beside, httpx.AsyncClient() as client:
        beside.drain.begin()
        assert (await client.post(beside.url + RPC)).status_code == 503
        assert (await client.get(beside.url + "/livez")).json() == {"status": "alive"}
        assert beside.upstream.targets == []
