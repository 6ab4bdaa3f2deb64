"""Servers of tools as they are, and as they should not be."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any

import pytest

from codetether_adapters.mcp_servers import open_tool_servers
from codetether_adapters.outgoing.allowing import allowed
from codetether_adapters.outgoing.transport import open_transport
from codetether_core.agents import SignIn
from codetether_core.errors import CodeTetherError, Invalid, Unavailable
from codetether_core.ports import ToolCaller
from tests.e2e.programs import PATIENCE
from tests.mcp_servers.far import Library, Said, misbehaving, of_library, server_at
from tests.mcp_servers.saying import discovered, http, result, saying, serving

SECRET = "s3cret-of-ours-and-nobody-else"
SIGN_IN = SignIn(header="Authorization", prefix="Bearer ", secret="far")


@pytest.fixture
async def caller(anyio_backend: str) -> AsyncIterator[ToolCaller]:
    async with open_transport(allowed(["127.0.0.1"])) as transport, open_tool_servers(transport, "1") as caller:
        yield caller


@pytest.fixture(params=["stateless", "handshake"])
def far(request: pytest.FixtureRequest) -> Any:
    with of_library(handshake=request.param == "handshake") as far:
        yield far


async def test_its_tools_are_listed_in_its_order_without_what_cannot_be_used(caller: ToolCaller, far: Library) -> None:
    tools = await caller.tools(server_at(far.url))
    assert [tool.name for tool in tools] == ["echo", "slow", "broken"]
    echo = tools[0]
    assert (echo.title, echo.description) == ("Echo", "Says it again")
    assert (echo.arguments["required"], echo.hints) == (["words"], {"readOnlyHint": True})
    assert echo.result == {"type": "object", "properties": {"words": {"type": "string"}}}


async def test_a_tool_is_used_once_and_its_answer_told(caller: ToolCaller, far: Library) -> None:
    answer = await caller.call(server_at(far.url), "echo", {"words": "Grüß Gott"})
    assert (list(answer.content), answer.failed) == ([{"type": "text", "text": "Grüß Gott"}], False)
    assert (answer.data, far.calls) == ({"words": "Grüß Gott"}, ["echo"])


async def test_a_tool_that_fails_says_so(caller: ToolCaller, far: Library) -> None:
    answer = await caller.call(server_at(far.url), "broken", {})
    assert (answer.failed, answer.content[0]["text"]) == (True, "it broke")


async def test_the_server_knows_us_by_our_credential_alone(caller: ToolCaller, far: Library) -> None:
    await caller.call(server_at(far.url, sign_in=SIGN_IN), "echo", {"words": "x"}, SECRET)
    assert {headers["authorization"] for headers in far.headers} == {f"Bearer {SECRET}"}


async def test_a_call_that_is_cancelled_is_withdrawn_at_the_server(caller: ToolCaller, far: Library) -> None:
    using = asyncio.ensure_future(caller.call(server_at(far.url), "slow", {}))
    assert await asyncio.to_thread(far.begun.wait, PATIENCE)
    using.cancel()
    with pytest.raises(asyncio.CancelledError):
        await using
    assert await asyncio.to_thread(far.withdrawn.wait, PATIENCE)
    assert far.calls == ["slow"]


async def test_a_call_that_takes_too_long_is_given_up_and_withdrawn(caller: ToolCaller, far: Library) -> None:
    with pytest.raises(Unavailable, match=r"not done within 1\.5 seconds"):
        await caller.call(server_at(far.url, timeout=timedelta(seconds=1.5)), "slow", {})
    assert await asyncio.to_thread(far.withdrawn.wait, PATIENCE)


async def test_a_session_is_ended(anyio_backend: str) -> None:
    with of_library(handshake=True) as far:
        async with open_transport(allowed(["*"])) as transport, open_tool_servers(transport) as caller:
            await caller.tools(server_at(far.url))
        assert far.methods[-1] == "DELETE"
        assert far.headers[-1]["mcp-session-id"] == far.headers[-2]["mcp-session-id"]


async def test_a_private_address_is_asked_nothing_unless_it_is_allowed(anyio_backend: str, far: Library) -> None:
    async with open_transport(allowed([])) as transport, open_tool_servers(transport) as caller:
        with pytest.raises(Invalid, match="public addresses only"):
            await caller.tools(server_at(far.url))
    assert far.methods == []


async def failure(caller: ToolCaller, say: Said, **more: Any) -> CodeTetherError:
    """What is said of a server that says so."""
    async with misbehaving(say) as url:
        with pytest.raises(CodeTetherError) as failed:
            await caller.call(server_at(url, sign_in=SIGN_IN, **more), "echo", {"words": "x"}, SECRET)
    assert SECRET not in str(failed.value) and SECRET not in failed.value.hint
    return failed.value


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (http("401 Unauthorized", ""), Unavailable, "status 401"),
        (http("500 Internal Server Error", SECRET), Unavailable, "status 500"),
        (http("200 OK", "<html>", "text/html"), Invalid, "no JSON"),
        (http("404 Not Found", "<html>", "text/html"), Invalid, "status 404"),
        (http("307 Temporary Redirect", "", Location="http://169.254.169.254/"), Invalid, "status 307"),
        (http("200 OK", "[]"), Invalid, "no message"),
        (http("200 OK", '{"jsonrpc":"2.0","id":1}'), Invalid, "without a result"),
        (http("400 Bad Request", '{"error":{"message":"no"}}'), Invalid, "does not speak the protocol: no"),
        (http("200 OK", "[" * 500 + "]" * 500), Invalid, "no message"),
        (http("200 OK", '{"a":' * 200 + "1" + "}" * 200), Invalid, "levels"),
    ],
    ids=["stranger", "broken", "page", "nothing", "elsewhere", "list", "hollow", "codeless", "deep-list", "deep"],
)
async def test_what_is_no_answer_of_the_protocol_is_told(
    caller: ToolCaller, answer: bytes, kind: type[CodeTetherError], words: str
) -> None:
    error = await failure(caller, saying(answer))
    assert isinstance(error, kind)
    assert words in error.message


@pytest.mark.parametrize(("code", "kind"), [(-32602, Invalid), (-32603, Unavailable), (0, Invalid)])
async def test_what_the_server_says_is_wrong_is_told_without_our_credential(
    caller: ToolCaller, code: int, kind: type[CodeTetherError]
) -> None:
    asked: list[str] = []

    async def say(writer: asyncio.StreamWriter, headers: Mapping[str, str], told: Any) -> None:
        asked.append(told["method"])
        error = {"code": code, "message": f"{headers['authorization']} may not {'x' * 5000}"}
        writer.write(http("200 OK", json.dumps({"jsonrpc": "2.0", "id": told["id"], "error": error})))

    error = await failure(caller, discovered(say))
    assert isinstance(error, kind)
    assert "far says: " in error.message and "may not" in error.message and len(error.message) < 1000
    assert error.code == ("tool_refused" if kind is Invalid else "unavailable")
    assert asked == ["tools/call"]


async def test_a_server_that_never_answers_is_given_up(caller: ToolCaller) -> None:
    async def say(writer: asyncio.StreamWriter, headers: Mapping[str, str], asked: Any) -> None:
        await asyncio.sleep(PATIENCE)

    error = await failure(caller, say, timeout=timedelta(seconds=0.2))
    assert isinstance(error, Unavailable) and "0.2 seconds" in error.message


async def test_progress_gains_no_time(caller: ToolCaller) -> None:
    beat = json.dumps({"jsonrpc": "2.0", "method": "notifications/progress", "params": {}})

    async def say(writer: asyncio.StreamWriter, headers: Mapping[str, str], asked: Any) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
        while True:
            writer.write(f"data: {beat}\n\n".encode())
            await writer.drain()
            await asyncio.sleep(0.01)

    error = await failure(caller, discovered(say), timeout=timedelta(seconds=0.5))
    assert isinstance(error, Unavailable)


@pytest.mark.parametrize("stream", [False, True], ids=["at-once", "stream"])
async def test_more_than_is_taken_is_not_taken(caller: ToolCaller, *, stream: bool) -> None:
    async def say(writer: asyncio.StreamWriter, headers: Mapping[str, str], asked: Any) -> None:
        kind = "text/event-stream" if stream else "application/json"
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nConnection: close\r\n\r\n".encode())
        for _ in range(20):
            writer.write(b": " + b"x" * 1024 * 1024 + b"\n\n" if stream else b" " * 1024 * 1024)
            await writer.drain()

    error = await failure(caller, discovered(say))
    assert isinstance(error, Invalid) and "10,485,760 bytes" in error.message


async def test_a_list_without_end_is_not_read_to_its_end(caller: ToolCaller) -> None:
    async def say(writer: asyncio.StreamWriter, headers: Mapping[str, str], asked: Any) -> None:
        writer.write(result(asked, resultType="complete", tools=[], nextCursor="again"))

    async with misbehaving(discovered(say)) as url:
        with pytest.raises(Invalid, match="100 pages"):
            await caller.tools(server_at(url))


async def test_tools_of_which_nobody_can_say_how_they_are_used_are_left_out(caller: ToolCaller) -> None:
    """Such as those that want arguments repeated in headers, or take what is no object."""
    schema = {"type": "object", "properties": {"region": {"type": "string", "x-mcp-header": "Region"}}}
    schemas: list[Any] = [schema, {"type": "string"}, None, {"type": "object"}]
    tools = [{"name": f"t{number}", "inputSchema": each} for number, each in enumerate(schemas)]
    tools += [{"name": name, "inputSchema": {"type": "object"}} for name in ("", "a b", "ä", "x" * 129, 7, "t3")]

    async def say(writer: asyncio.StreamWriter, headers: Mapping[str, str], asked: Any) -> None:
        writer.write(result(asked, resultType="complete", tools=tools))

    async with misbehaving(discovered(say)) as url:
        assert [tool.name for tool in await caller.tools(server_at(url))] == ["t3"]


async def test_no_more_tools_are_taken_than_anybody_needs(caller: ToolCaller) -> None:
    tools = [{"name": f"t{number}", "inputSchema": {"type": "object"}} for number in range(1001)]

    async def say(writer: asyncio.StreamWriter, headers: Mapping[str, str], asked: Any) -> None:
        writer.write(result(asked, resultType="complete", tools=tools))

    async with misbehaving(discovered(say)) as url:
        with pytest.raises(Invalid, match="1,000 tools"):
            await caller.tools(server_at(url))


SAMPLING = {"jsonrpc": "2.0", "id": "s1", "method": "sampling/createMessage", "params": {}}


def streamed(*messages: Any) -> bytes:
    return "".join(f"data: {json.dumps(message)}\n\n" for message in messages).encode()


async def test_what_a_server_asks_of_us_is_refused_so_that_it_does_not_wait(caller: ToolCaller) -> None:
    answers: list[Any] = []
    heard = asyncio.Event()

    async def say(writer: asyncio.StreamWriter, headers: Mapping[str, str], asked: Any) -> None:
        match asked.get("method"):
            case "initialize":
                writer.write(result(asked, protocolVersion="2025-06-18", capabilities={}))
            case "tools/call":
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
                writer.write(streamed(SAMPLING, {"jsonrpc": "2.0", "id": 7, "method": "ping"}))
                await writer.drain()
                await heard.wait()
                done = {"content": [], "structuredContent": [1, 2]}
                writer.write(streamed({"jsonrpc": "2.0", "id": asked["id"], "result": done}))
            case None:
                answers.append(asked)
                if len(answers) == 2:
                    heard.set()
                writer.write(http("202 Accepted", ""))
            case _:
                writer.write(http("404 Not Found", "") if "id" in asked else http("202 Accepted", ""))

    async with misbehaving(say) as url:
        answer = await caller.call(server_at(url), "echo", {})
    assert (answers[0]["id"], answers[0]["error"]["code"]) == ("s1", -32601)
    assert (answers[1]["id"], answers[1]["result"]) == (7, {})
    assert (answer.data, answer.content[0]["text"]) == (None, "[1,2]")


async def test_who_asks_something_of_us_where_nobody_may_is_heard_no_longer(caller: ToolCaller) -> None:
    body = streamed(SAMPLING).decode()
    error = await failure(caller, discovered(saying(http("200 OK", body, "text/event-stream"))))
    assert isinstance(error, Invalid) and "asks something of us" in error.message


async def test_a_question_in_place_of_an_answer_is_none(caller: ToolCaller) -> None:
    async def say(writer: asyncio.StreamWriter, headers: Mapping[str, str], asked: Any) -> None:
        writer.write(result(asked, resultType="input_required", inputRequests={}))

    assert isinstance(await failure(caller, discovered(say)), Invalid)


async def test_a_server_of_revisions_that_we_do_not_speak_is_told_of(caller: ToolCaller) -> None:
    async def say(writer: asyncio.StreamWriter, headers: Mapping[str, str], asked: Any) -> None:
        error = {"code": -32022, "message": "no", "data": {"supported": ["2030-01-01"]}}
        writer.write(http("400 Bad Request", json.dumps({"jsonrpc": "2.0", "id": asked["id"], "error": error})))

    error = await failure(caller, say)
    assert isinstance(error, Invalid) and "revisions" in error.message


async def test_arguments_that_are_no_json_are_refused(caller: ToolCaller, far: Library) -> None:
    with pytest.raises(Invalid, match="arguments"):
        await caller.call(server_at(far.url), "echo", {"words": 2**70})
    assert far.calls == []


async def test_a_tool_that_is_told_of_wrongly_takes_nothing_from_the_others(caller: ToolCaller) -> None:
    tools = [
        {"name": "hinted", "inputSchema": {"type": "object"}, "annotations": {"readOnlyHint": "yes", "title": "H"}},
        {"name": "odd", "inputSchema": {"type": "object", "properties": 5}},
        {"name": "odder", "inputSchema": {"type": "object", "required": "words"}},
        {"name": "wanting", "inputSchema": {"type": "object"}, "outputSchema": {"type": "object", "properties": 5}},
    ]
    async with misbehaving(serving(tools, {})) as url:
        hinted, wanting = await caller.tools(server_at(url))
    assert (hinted.name, hinted.hints) == ("hinted", {"title": "H"})
    assert (wanting.name, wanting.result) == ("wanting", None)


@pytest.mark.parametrize("block", [{"type": "nonsense"}, {"type": "text"}, {"type": []}, "words"])
async def test_what_is_no_answer_of_a_tool_is_none(caller: ToolCaller, block: Any) -> None:
    error = await failure(caller, serving([], {"echo": {"content": [block]}}))
    assert isinstance(error, Invalid) and "no result of a tool" in error.message
