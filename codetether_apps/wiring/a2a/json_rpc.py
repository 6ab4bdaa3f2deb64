"""JSON-RPC at the addresses where clients look for it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from attrs import frozen

from codetether_adapters.a2a import jsonrpc
from codetether_adapters.a2a.agent import Agent
from codetether_adapters.a2a.errors import Refused, refusal_of
from codetether_adapters.http import Call, Route
from codetether_adapters.http.bodies import parse_json, require_fit
from codetether_apps.wiring.a2a.calls import ALWAYS, SENDING, WATCHING, Reply, body_of, reply, request_of
from codetether_core.errors import Invalid, TooLarge

__all__ = ["RPC", "rpc_routes"]

RPC: Final = "/v1/a2a"

_PLACES: Final = {
    f"{RPC}/": "A2A as JSON-RPC",
    "/": "A2A as JSON-RPC, where deployed servers have it",
    "/a2a/jsonrpc": "A2A as JSON-RPC, where deployed servers have it too",
}
_ANSWER: Final[Mapping[str, object]] = {
    "type": "object",
    "description": "A JSON-RPC 2.0 response: a result or an error.",
    "required": ["jsonrpc", "id"],
    "properties": {
        "jsonrpc": {"const": "2.0"},
        "id": {"type": ["string", "integer", "null"]},
        "result": {},
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {"code": {"type": "integer"}, "message": {"type": "string"}, "data": {"type": "array"}},
            "additionalProperties": False,
        },
    },
    "additionalProperties": False,
}


@frozen(kw_only=True)
class JsonRpcCall:
    """A JSON-RPC 2.0 request; without an ``id`` nothing is answered but a refusal."""

    jsonrpc: str
    method: str
    id: Any = None
    params: Mapping[str, Any] | None = None


def rpc_routes(agent: Agent) -> tuple[Route, ...]:
    """One route for each address; the first answers with and without the slash at its end."""

    async def call_method(call: Call) -> Reply:
        """Releases 1.0 and 0.3 of the protocol, told apart by the names of their methods.

        What is refused is answered with status 200 and an ``error``; methods that stream, with server-sent events.
        """
        request = request_of(call, titled=True)
        try:
            body = await body_of(call)
            value = parse_json(body)
        except Refused as refusal:
            return reply(call, jsonrpc.refused(refusal, status=415))
        except (Invalid, TooLarge) as error:
            return reply(call, jsonrpc.refused(refusal_of(error)))
        fit = partial(require_fit, value, body, call.limits.depth)
        return reply(call, await jsonrpc.respond(agent, request, value, fit))

    return tuple(
        Route(
            "POST",
            path,
            call_method,
            "tasks:read",
            summary=summary,
            tag="a2a",
            headers=(*ALWAYS, SENDING, WATCHING),
            body=JsonRpcCall,
            answer=_ANSWER,
            refusal=_ANSWER,
            also={204: None},
            stream="a2a-jsonrpc",
        )
        for path, summary in _PLACES.items()
    )
