"""The two tool calls of a deployed worker."""

from typing import Any

import pytest

from tests.http.coverage import covers
from tests.http.resources.world import World, ok, open_world

RPC = "/mcp/v1/rpc"


async def call(world: World, tool: str, /, **arguments: Any) -> Any:
    params = {"name": tool, "arguments": arguments}
    body = {"jsonrpc": "2.0", "id": "b1f06590", "method": "tools/call", "params": params}
    answer = ok(await world.worker.post(RPC, json=body))
    assert (answer["jsonrpc"], answer["id"]) == ("2.0", "b1f06590")
    return answer


@covers(f"POST {RPC}", "POST /mcp")
async def test_a_deployed_worker_registers_and_beats_as_an_agent() -> None:
    name = "w-one:vm:wrk-00"
    async with open_world() as world:
        told = {"name": name, "description": "d", "url": "http://127.0.0.1:1", "capabilities": {"streaming": True}}
        result = (await call(world, "register_agent", **told, models_supported=["a/b"]))["result"]
        assert (result["success"], result["name"], result["isError"]) == (True, name, False)
        (agent,) = (await world.get("/v1/agent/agents"))["agents"]
        assert told.items() <= agent.items()
        world.clock.advance(seconds=120)
        assert (await world.get("/v1/agent/agents"))["count"] == 0
        result = (await call(world, "refresh_agent_heartbeat", agent_name=name))["result"]
        assert (result["success"], result["structuredContent"]["agent_name"]) == (True, name)
        assert (await world.get("/v1/agent/agents"))["count"] == 1


@pytest.mark.parametrize(
    ("tool", "arguments", "code"),
    [
        ("refresh_agent_heartbeat", {"agent_name": "nobody"}, "agent_not_found"),
        ("refresh_agent_heartbeat", {}, "invalid_request"),
        ("register_agent", {"name": ""}, "invalid_request"),
        ("register_agent", {"name": "a", "url": 3}, "invalid_request"),
    ],
)
async def test_a_tool_that_fails_says_so_in_its_result(tool: str, arguments: Any, code: str) -> None:
    async with open_world() as world:
        answer = await call(world, tool, **arguments)
        assert "error" not in answer
        assert (answer["result"]["isError"], answer["result"]["code"]) == (True, code)


@pytest.mark.parametrize("path", [RPC, "/mcp"])
async def test_what_is_no_json_is_an_error_of_json_rpc(path: str) -> None:
    async with open_world() as world:
        for body in (b"{", b"", b'"\xff"'):
            answer = await world.worker.post(path, content=body)
            assert (answer.status_code, answer.json()["error"]["code"]) == (400, -32700)


async def test_a_word_that_no_store_can_hold_fails_the_tool() -> None:
    async with open_world() as world:
        result = (await call(world, "register_agent", name="a", description="\0"))["result"]
        assert (result["isError"], result["code"]) == (True, "invalid_request")


async def test_a_notification_is_done_and_not_answered() -> None:
    async with open_world() as world:
        params = {"name": "register_agent", "arguments": {"name": "quiet"}}
        response = await world.worker.post(RPC, json={"jsonrpc": "2.0", "method": "tools/call", "params": params})
        assert (response.status_code, response.content) == (202, b"")
        assert (await world.get("/v1/agent/agents"))["count"] == 1


async def test_a_viewer_may_not_register() -> None:
    async with open_world() as world:
        params = {"name": "register_agent", "arguments": {"name": "a"}}
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        assert (await world.viewer.post(RPC, json=body)).status_code == 403


async def test_models_are_not_told_of_them() -> None:
    async with open_world() as world:
        names = {tool["name"] for tool in (await world.get("/mcp/v1/tools"))["tools"]}
        assert "create_task" in names
        assert not names & {"register_agent", "refresh_agent_heartbeat"}
