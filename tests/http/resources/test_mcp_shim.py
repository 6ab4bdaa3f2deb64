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


@covers(f"POST {RPC}")
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


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}', -32601),
        (b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"create_task"}}', -32601),
        (b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[]}', -32601),
        (b'{"id":1,"method":"tools/list"}', -32600),
        (b"[]", -32600),
        (b"{", -32700),
        (b"", -32700),
    ],
)
async def test_everything_else_is_an_error_of_json_rpc(body: bytes, code: int) -> None:
    async with open_world() as world:
        answer = ok(await world.worker.post(RPC, content=body))
        assert answer["error"]["code"] == code


async def test_a_notification_is_not_answered() -> None:
    async with open_world() as world:
        response = await world.worker.post(RPC, json={"jsonrpc": "2.0", "method": "notifications/initialized"})
        assert (response.status_code, response.content) == (202, b"")


async def test_a_viewer_may_not_register() -> None:
    async with open_world() as world:
        assert (await world.viewer.post(RPC, json={})).status_code == 403
