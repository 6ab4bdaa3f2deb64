"""One endpoint, at the address where clients and deployed workers look for it, and what tells of it."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any, Final
from urllib.parse import urlsplit

from attrs import evolve, frozen

from codetether_adapters.http import METADATA, Call, Encoded, Header, Json, Mounted, Protected, Route
from codetether_adapters.http.negotiating import require_json, require_taker_of_json
from codetether_adapters.http.origins import require_own_origin
from codetether_adapters.http.resources import deployed_mcp
from codetether_adapters.mcp.answering import Answering, Receive, Scope, Send
from codetether_adapters.mcp.caller import Caller, Exchange
from codetether_adapters.mcp.encoding import encode
from codetether_adapters.mcp.envelope import Asked, asked_in, has_error
from codetether_adapters.mcp.served import Served
from codetether_apps.wiring.mcp.discovery import discovery_routes
from codetether_apps.wiring.mcp.messages import message_of
from codetether_core.access import PUBLIC
from codetether_core.errors import NotConfigured, NotFound
from codetether_core.ports import Authorizer

__all__ = ["ANSWER", "HEADERS", "HOW", "RPC", "STREAM", "JsonRpcMessage", "mcp_routes"]

RPC: Final = "/mcp/v1/rpc"
_LISTEN: Final = "subscriptions/listen"
_NAMED: Final = ("tools/call", "prompts/get")
_SHORT: Final = "/mcp"
_PERMISSION: Final = "tasks:read"
_BAD: Final = 400
STREAM: Final = "mcp"
HOW: Final = "pip install 'codetether-hub[mcp]', and set CODETETHER_MCP=on"
ANSWER: Final[Mapping[str, object]] = {
    "type": "object",
    "description": "A JSON-RPC 2.0 response: a result or an error.",
    "required": ["jsonrpc", "id"],
    "properties": {
        "jsonrpc": {"const": "2.0"},
        "id": {"type": ["string", "integer", "null"]},
        "result": {"type": "object"},
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {"code": {"type": "integer"}, "message": {"type": "string"}, "data": {}},
            "additionalProperties": False,
        },
    },
    "additionalProperties": False,
}
_TOOLS: Final[Mapping[str, object]] = {
    "type": "object",
    "required": ["tools"],
    "properties": {"tools": {"type": "array", "items": {"type": "object"}}},
    "additionalProperties": False,
}
_METADATA: Final[Mapping[str, object]] = {
    "type": "object",
    "description": "Metadata of a protected resource (RFC 9728).",
    "required": ["resource", "authorization_servers"],
    "properties": {
        "resource": {"type": "string"},
        "authorization_servers": {"type": "array", "items": {"type": "string"}},
        "scopes_supported": {"type": "array", "items": {"type": "string"}},
        "bearer_methods_supported": {"type": "array", "items": {"type": "string"}},
        "resource_name": {"type": "string"},
    },
    "additionalProperties": False,
}
HEADERS: Final = (
    Header("MCP-Protocol-Version", "The protocol's revision; without it, one of those that begin with a handshake."),
    Header("Mcp-Method", "The message's method, as revision 2026-07-28 wants it."),
    Header("Mcp-Name", "The name of what is called, or the address of what is read, as that revision wants it."),
)


@frozen(kw_only=True)
class JsonRpcMessage:
    """A JSON-RPC 2.0 request; without an ``id`` it is not answered (202)."""

    jsonrpc: str
    method: str
    id: Any = None
    params: Mapping[str, Any] | None = None


def mcp_routes(
    served: Served,
    endpoint: Answering | None,
    authorizer: Authorizer,
    *,
    prefix: str = "",
    protected: Protected | None = None,
) -> tuple[Route, ...]:
    """The routes below ``prefix``. Without an ``endpoint`` deployed workers alone are answered."""

    async def rpc(call: Call) -> Encoded | Mounted:
        """The Model Context Protocol as Streamable HTTP, without sessions: revision 2026-07-28, and those before it.

        What a deployed worker calls, ``register_agent`` and ``refresh_agent_heartbeat``, is answered in its own way.
        """
        require_own_origin(call)
        message, body, refusal = await message_of(call)
        if refusal is not None:
            return refusal
        if deployed_mcp.is_deployed_call(message):
            call.request.permission = deployed_mcp.PERMISSION
            await authorizer.authorize(call.principal, deployed_mcp.PERMISSION)
            return await deployed_mcp.answer(call, message, body)
        require_json(call.headers)
        require_taker_of_json(call.headers)
        if (served_by := endpoint) is None:
            raise NotConfigured("MCP is not served here", hint=HOW)
        await admit(call, asked_in(message))
        caller = Caller(principal=call.principal, standing=call.standing)

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            async def noting(message: MutableMapping[str, Any]) -> None:
                if message.get("status", 0) >= _BAD or has_error(message.get("body", b"")):
                    caller.failed = True
                await send(message)

            try:
                await served_by.answer(caller, scope, receive, noting)
            finally:
                call.request.failed = caller.failed

        return Mounted(answer, encode(message))  # what was looked at, byte for byte

    async def admit(call: Call, asked: Asked) -> None:
        """Note what is asked for; ``PermissionDenied`` if the caller may not, ``Unavailable`` where we leave."""
        if asked.method == _LISTEN:
            call.may_stream()
        permission, request = served.permission(asked.method, asked.params), call.request
        if permission is None:
            return
        request.permission = permission
        named = [asked.params["name"]] if asked.method in _NAMED else []  # one that there is: it has a permission
        request.route = request.subject = " ".join([request.path, asked.method, *named])
        await authorizer.authorize(call.principal, permission)

    async def tools(call: Call) -> Json:
        """The tools that the caller may use, for deployed pages."""
        listed = await served.tools(Exchange(caller=Caller(principal=call.principal)), None)
        return Json({"tools": listed["tools"]})

    async def metadata(call: Call) -> Json:
        """Who gives tokens for the endpoint (RFC 9728); nobody, if there is no OpenID provider."""
        resource = call.path.get("resource")
        below = f"{urlsplit(call.base_url).path}{prefix}".lstrip("/")
        known = {None, *(f"{below}{path}".lstrip("/") for path in (RPC, _SHORT))}
        if protected is None or resource not in known:
            raise NotFound("protected_resource", resource or "")
        path = _SHORT if resource and resource.endswith(_SHORT.lstrip("/")) else RPC
        shown = evolve(protected, path=f"{prefix}{path}").metadata(call.base_url)
        return Json(shown, headers=[(b"access-control-allow-origin", b"*")])

    def endpoint_at(path: str, summary: str) -> Route:
        return Route(
            "POST",
            f"{prefix}{path}",
            rpc,
            _PERMISSION,
            summary=summary,
            tag="mcp",
            headers=HEADERS,
            body=JsonRpcMessage,
            answer=ANSWER,
            refusal=ANSWER,
            also={202: None},
            stream=STREAM,
            errors=(400, 404, 406, 408, 413, 415, 421, 501),
            protected=None if protected is None else evolve(protected, path=f"{prefix}{path}"),
        )

    endpoints = tuple(f"{prefix}{path}" for path in (RPC, _SHORT))
    return (
        *discovery_routes(served.identity, endpoints, is_served=endpoint is not None),
        endpoint_at(RPC, "MCP"),
        endpoint_at(_SHORT, "MCP, where clients guess that it is"),
        Route(
            "GET",
            f"{prefix}/mcp/v1/tools",
            tools,
            _PERMISSION,
            summary="The tools of MCP, as deployed pages list them",
            tag="mcp",
            answer=_TOOLS,
        ),
        Route(
            "GET",
            f"{METADATA}/{{resource:path}}",
            metadata,
            PUBLIC,
            summary="Who gives tokens for MCP",
            tag="mcp",
            answer=_METADATA,
        ),
        Route(
            "GET", METADATA, metadata, PUBLIC, summary="Who gives tokens for MCP", tag="mcp", answer=_METADATA,
            errors=(404,),
        ),
    )  # fmt: skip
