"""Servers of tools elsewhere: put, listed, asked how they are, forgotten."""

from __future__ import annotations

from typing import Any, Final

from attrs import field, frozen
from starlette.responses import Response

from codetether_adapters.http.call import Call
from codetether_adapters.http.resources import shapes
from codetether_adapters.http.resources.bounds import seconds
from codetether_adapters.http.responses import Json
from codetether_adapters.http.routing import Route
from codetether_core.tool_servers import ToolServer, ToolServerHealth, offers

__all__ = ["ROUTES"]

_TAG: Final = "tool servers"
_PATH: Final = "/v1/tool-servers"
_ONE: Final = f"{_PATH}/{{name}}"


@frozen(kw_only=True)
class GivenToolServer:
    """Where it is, which of its tools runs may use (``*`` and ``?`` stand for any characters), how long one may take.

    ``secret`` names the secret that it knows us by, which goes into ``header`` (``Authorization``) behind ``prefix``
    (``Bearer``, with a space, in that header, else nothing).
    """

    url: str
    description: str = ""
    tools: tuple[str, ...] = ("*",)
    timeout_seconds: float = 30.0
    secret: str | None = field(default=None, repr=False)
    header: str | None = None
    prefix: str | None = None


async def list_all(call: Call) -> Response:
    """By name."""
    keeping = call.services.tool_server_keeping
    found, whole = await keeping.list(call.principal), await keeping.tells_secrets(call.principal)
    return Json({"tool_servers": [_view(each, whole=whole) for each in found], "total": len(found)})


async def put(call: Call) -> Response:
    """Register a server, or another in its place, once it has said which tools it has."""
    given = await call.body(GivenToolServer)
    health = await call.services.tool_server_keeping.register(
        call.principal,
        call.path["name"],
        given.url,
        description=given.description,
        tools=given.tools,
        timeout=seconds("timeout_seconds", given.timeout_seconds, 1, 300),
        secret=given.secret,
        header=given.header,
        prefix=given.prefix,
    )
    return await _told(call, health)


async def show(call: Call) -> Response:
    """As it was registered; nobody is asked."""
    return await _shown(call, await call.services.tool_server_keeping.get(call.principal, call.path["name"]))


async def delete(call: Call) -> Response:
    """Forget it: no run uses its tools any more."""
    return await _shown(call, await call.services.tool_server_keeping.remove(call.principal, call.path["name"]))


async def check(call: Call) -> Response:
    """Ask it now which tools it has; a problem is told in the answer."""
    return await _told(call, await call.services.tool_server_keeping.check(call.principal, call.path["name"]))


async def _shown(call: Call, server: ToolServer) -> Response:
    return Json(_view(server, whole=await call.services.tool_server_keeping.tells_secrets(call.principal)))


async def _told(call: Call, health: ToolServerHealth) -> Response:
    whole = await call.services.tool_server_keeping.tells_secrets(call.principal)
    tools = [
        {
            "name": tool.name,
            "title": tool.title,
            "description": tool.description,
            "offered": offers(health.server, tool.name),
        }
        for tool in health.tools
    ]
    return Json(
        {
            "server": _view(health.server, whole=whole),
            "checked_at": health.at,
            "tools": tools,
            "problem": health.problem,
            "hint": health.hint,
        }
    )


def _view(server: ToolServer, *, whole: bool) -> dict[str, Any]:
    sign_in = server.sign_in if whole else None
    return {
        "name": server.name,
        "url": server.url,
        "description": server.description,
        "tools": server.tools,
        "timeout_seconds": server.timeout.total_seconds(),
        "signs_in": server.sign_in is not None,
        "secret": sign_in and sign_in.secret,
        "header": sign_in and sign_in.header,
        "prefix": sign_in and sign_in.prefix,
        "registered_by": server.registered_by,
        "registered_at": server.registered_at,
    }


ROUTES: Final = (
    Route(
        "GET", _PATH, list_all, "tool_servers:read", summary="List servers of tools", answer=shapes.ToolServers,
        tag=_TAG,
    ),
    Route(
        "PUT", _ONE, put, "tool_servers:write", summary="Register a server of tools", answer=shapes.ToolServerHealth,
        tag=_TAG, body=GivenToolServer, errors=(404, 409, 501),
    ),
    Route(
        "GET", _ONE, show, "tool_servers:read", summary="One server of tools", answer=shapes.ToolServer, tag=_TAG,
        errors=(404,),
    ),
    Route(
        "DELETE", _ONE, delete, "tool_servers:write", summary="Forget a server of tools", answer=shapes.ToolServer,
        tag=_TAG, errors=(404, 409),
    ),
    Route(
        "POST", f"{_ONE}/check", check, "tool_servers:write", summary="Ask a server which tools it has",
        answer=shapes.ToolServerHealth, tag=_TAG, errors=(404, 501),
    ),
)  # fmt: skip
