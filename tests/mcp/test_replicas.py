"""Replicas without affinity: what one began, another goes on with."""

from __future__ import annotations

from typing import Any

import httpx

from codetether_adapters import memory
from tests.http.resources.harness import open_api
from tests.mcp.fixture import Fixture
from tests.mcp.hub import HANDSHAKE, RPC, Hub, envelope, named
from tests.mcp.serving import serving

ASKING = "test_input_required_result_request_state"


async def ask(url: str, **more: Any) -> Any:
    params = {"name": ASKING, "arguments": {}, **more}
    able: dict[str, Any] = {"elicitation": {}}
    async with httpx.AsyncClient() as client:
        body = envelope("tools/call", params, capabilities=able)
        return (await client.post(url + RPC, json=body, headers=named("tools/call", params))).json()


async def test_a_client_says_hello_to_one_and_calls_another() -> None:
    async with memory.open_backend("memory://") as backend, open_api(backend) as one, open_api(backend) as other:
        here, there = Hub(one, HANDSHAKE), Hub(other, HANDSHAKE)
        client = {"name": "c", "version": "1"}
        hello = await here.ask("initialize", protocolVersion=HANDSHAKE, capabilities={}, clientInfo=client)
        assert hello["protocolVersion"] == HANDSHAKE
        made = await there.tool("create_task", codebase="global", prompt="p")
        assert (await here.tool("get_task", task_id=made["task_id"]))["status"] == "pending"


async def test_what_one_sealed_another_of_the_installation_opens() -> None:
    answers = {"confirm": {"action": "accept", "content": {"ok": True}}}
    async with (
        serving(Fixture(), key=b"k" * 32) as one,
        serving(Fixture(), key=b"k" * 32) as other,
        serving(Fixture(), key=b"x" * 32) as foreign,
    ):
        state = (await ask(one))["result"]["requestState"]
        done = await ask(other, inputResponses=answers, requestState=state)
        assert done["result"]["content"][0]["text"] == "state-ok"
        assert (await ask(foreign, inputResponses=answers, requestState=state))["error"]["code"] == -32602
