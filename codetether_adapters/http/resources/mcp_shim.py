"""The two MCP tool calls without which a deployed 1.4.3 worker does not start, and nothing more of MCP.

It registers itself as an agent and refreshes that, by JSON-RPC 2.0 (https://www.jsonrpc.org/specification). MCP proper
comes with its own adapter and replaces this. Results have the tools' own members besides MCP's, as the worker reads
those; a tool that fails says so in its result, since the worker gives up on an ``error``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Literal

from attrs import frozen
from starlette.responses import Response

from codetether_adapters.http.call import Call
from codetether_adapters.http.resources import shapes
from codetether_adapters.http.resources.agents import RegisterAgent, register
from codetether_adapters.http.responses import Json, encode_json
from codetether_adapters.http.routing import Route
from codetether_core import codec
from codetether_core.errors import CodeTetherError, Invalid
from codetether_core.ids import AgentName

__all__ = ["ROUTES"]

_PARSE_ERROR, _INVALID_REQUEST, _METHOD_NOT_FOUND = -32700, -32600, -32601


@frozen
class RpcRequest:
    """A request of JSON-RPC 2.0; without an ``id`` it is not answered (202)."""

    jsonrpc: Literal["2.0"]
    method: str
    params: Mapping[str, Any] | None = None
    id: Any = None


@frozen
class Heartbeat:
    """Who is still there."""

    agent_name: str


async def rpc(call: Call) -> Response:
    """Answer one JSON-RPC request."""
    try:
        request = await call.json()
    except Invalid as error:
        return _failure(None, _PARSE_ERROR, error.message)
    if not isinstance(request, dict) or request.get("jsonrpc") != "2.0" or not isinstance(request.get("method"), str):
        return _failure(None, _INVALID_REQUEST, "Not a JSON-RPC 2.0 request")
    id, params = request.get("id"), request.get("params")
    params = params if isinstance(params, dict) else {}
    tool = _TOOLS.get(str(params.get("name"))) if request["method"] == "tools/call" else None
    if tool is None:
        answer = _failure(
            id, _METHOD_NOT_FOUND, "Only tools/call of register_agent and refresh_agent_heartbeat is served"
        )
    else:
        answer = Json({"jsonrpc": "2.0", "id": id, "result": await _result(call, tool, params.get("arguments"))})
    return answer if "id" in request else Response(status_code=202)


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


async def _result(call: Call, tool: _Tool, arguments: Any) -> Mapping[str, Any]:
    try:
        content, failed = await tool(call, {} if arguments is None else arguments), False
    except CodeTetherError as error:
        content, failed = {"success": False, "error": error.message, "code": error.code}, True
    text = {"type": "text", "text": encode_json(content).decode()}
    return {**content, "content": [text], "structuredContent": content, "isError": failed}


def _failure(id: Any, code: int, message: str) -> Json:
    return Json({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}})


ROUTES: Final = (
    Route(
        "POST",
        "/mcp/v1/rpc",
        rpc,
        "agents:write",
        summary="A worker registers as an agent (JSON-RPC)",
        answer=shapes.RpcAnswer,
        also={202: None},
        body=RpcRequest,
        tag="workers",
    ),
)
