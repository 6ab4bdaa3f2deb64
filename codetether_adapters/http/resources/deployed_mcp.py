"""The two tool calls without which a deployed 1.4.3 worker does not start, which models are not told of.

It registers itself as an agent and refreshes that, by JSON-RPC 2.0 and not quite by the Model Context Protocol. Results
have the tools' own members besides the protocol's, as the worker reads those; a tool that fails says so in its result,
since the worker gives up on an ``error``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from attrs import frozen

from codetether_adapters.http.bodies import read_json
from codetether_adapters.http.call import Call
from codetether_adapters.http.resources.agents import RegisterAgent, register
from codetether_adapters.http.responses import Encoded, Json, encode_json
from codetether_core import codec
from codetether_core.errors import CodeTetherError
from codetether_core.ids import AgentName

__all__ = ["PERMISSION", "answer", "is_deployed_call"]

PERMISSION: Final = "agents:write"


@frozen
class Heartbeat:
    """Who is still there."""

    agent_name: str


def is_deployed_call(message: Any) -> bool:
    """Whether a message is one of these calls."""
    match message:
        case {"jsonrpc": "2.0", "method": "tools/call", "params": {"name": str() as name}}:
            return name in _TOOLS
    return False


async def answer(call: Call, message: Mapping[str, Any], body: bytes) -> Encoded:
    """Answer such a call, which is in the body; without an ``id`` it is done, and not answered (202)."""
    result = await _result(call, _TOOLS[message["params"]["name"]], body)
    if "id" not in message:
        return Encoded(b"", 202, media_type=b"")
    return Json({"jsonrpc": "2.0", "id": message["id"], "result": result})


async def _register(call: Call, arguments: Any) -> Mapping[str, Any]:
    told = codec.parse(RegisterAgent, arguments)
    agent = await register(call, told)
    message = f"Agent '{agent.name}' successfully registered and is now discoverable"
    return {
        "success": True, "name": agent.name, "description": agent.description, "url": agent.url, "message": message
    }  # fmt: skip


async def _refresh(call: Call, arguments: Any) -> Mapping[str, Any]:
    name = AgentName(codec.parse(Heartbeat, arguments).agent_name)
    agent = await call.services.registration.hear_agent(call.principal, name)
    return {"success": True, "agent_name": agent.name, "message": f"Heartbeat refreshed for agent '{agent.name}'"}


_Tool = Callable[[Call, Any], Awaitable[Mapping[str, Any]]]
_TOOLS: Final[Mapping[str, _Tool]] = {"register_agent": _register, "refresh_agent_heartbeat": _refresh}


async def _result(call: Call, tool: _Tool, body: bytes) -> Mapping[str, Any]:
    try:
        arguments = read_json(body, call.limits.depth)["params"].get("arguments")
        content, failed = await tool(call, {} if arguments is None else arguments), False
    except CodeTetherError as error:
        content, failed = {"success": False, "error": error.message, "code": error.code}, True
    text = {"type": "text", "text": encode_json(content).decode()}
    return {**content, "content": [text], "structuredContent": content, "isError": failed}
