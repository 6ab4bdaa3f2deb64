"""What is served, as a server of the protocol's own library: both eras of the protocol, stateless.

This and ``serving`` alone import that library, which takes more than a second.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import traceback
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, TypeAlias

import structlog
from mcp import types
from mcp.server import Server
from mcp.server.context import ServerRequestContext
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.shared.exceptions import MCPError

from codetether_adapters.mcp.caller import Caller, Exchange
from codetether_adapters.mcp.errors import told
from codetether_adapters.mcp.listening import listening
from codetether_adapters.mcp.run_tools import RunTools
from codetether_adapters.mcp.served import INVALID_PARAMS, Refused, Served
from codetether_adapters.mcp.task_methods import add_task_methods
from codetether_core.errors import CodeTetherError

__all__ = ["CALLER", "run_server_of", "server_of"]

CALLER: Final = "codetether.mcp.caller"
"""Where in the ASGI scope who calls is to be found."""

_PURPOSE: Final = b"mcp request state"
_KEPT_FOR: Final = 3600.0
"""Seconds for which what clients keep for us counts: that is how long people may think about a question."""
_INTERNAL: Final = -32603
_Context: TypeAlias = ServerRequestContext[Any, Any]

_log = structlog.get_logger(__name__)


def server_of(served: Served, key: bytes | None = None) -> Server[Any]:
    """The server; requests find in their ASGI scope who calls.

    What clients keep for it between two requests is sealed with ``key``, which all replicas have, for this caller and
    this request; without one, nobody else takes what this server gave.
    """
    known = served.identity
    server = Server(
        known.name,
        version=known.version,
        title=known.title,
        description=known.description,
        instructions=known.instructions,
        get_tool_input_schema=served.input_schema,
        on_list_tools=_handler(lambda exchange, params: served.tools(exchange, _cursor(params))),
        on_call_tool=_handler(lambda exchange, params: served.call(exchange, params.name, params.arguments or {})),
        on_list_resources=_handler(lambda exchange, params: served.resources(exchange, _cursor(params))),
        on_list_resource_templates=_handler(lambda exchange, params: served.templates(exchange, _cursor(params))),
        on_read_resource=_handler(lambda exchange, params: served.read(exchange, str(params.uri))),
        on_list_prompts=_handler(lambda exchange, params: served.prompts(exchange, _cursor(params))),
        on_get_prompt=_handler(lambda exchange, params: served.prompt(exchange, params.name, params.arguments or {})),
        on_completion=_handler(_completing(served)),
        on_subscriptions_listen=_listening(served),
    )
    add_task_methods(server, served, _handler)
    secret = secrets.token_bytes(32) if key is None else hmac.digest(key, _PURPOSE, hashlib.sha256)
    sealing = RequestStateSecurity(keys=[secret], ttl=_KEPT_FOR, bind_principal=_caller_name)
    server.middleware.append(RequestStateBoundary(sealing, default_audience=known.name))
    return server


def run_server_of(tools: RunTools) -> Server[Any]:
    """The server of runs, which has nothing but tools; nothing of their arguments is repeated in headers."""
    known = tools.identity
    return Server(
        known.name,
        version=known.version,
        title=known.title,
        description=known.description,
        instructions=known.instructions,
        get_tool_input_schema=lambda name: None,
        on_list_tools=_handler(lambda exchange, params: tools.list(exchange, _cursor(params))),
        on_call_tool=_handler(lambda exchange, params: tools.call(exchange, params.name, params.arguments or {})),
    )


def _caller_name(context: _Context) -> str:
    principal = _caller(context).principal
    return f"{principal.tenant} {principal.name}"


def _caller(context: _Context) -> Caller:
    if context.request is None:
        raise RuntimeError("a request comes by HTTP")
    caller: Caller = context.request.scope[CALLER]
    return caller


def _handler(answer: Callable[[Exchange, Any], Awaitable[Mapping[str, Any]]]) -> Any:
    """A handler of the library's. What was not foreseen is logged without its words: drivers put passwords in them."""

    async def handle(context: _Context, params: Any) -> dict[str, Any]:
        with _explaining(context):
            return dict(await answer(exchange_of(context, params), params))

    return handle


def _listening(served: Served) -> Any:
    listen = listening(served, exchange_of)

    async def handle(context: _Context, params: Any) -> types.SubscriptionsListenResult:
        with _explaining(context):
            result: types.SubscriptionsListenResult = await listen(context, params)
            return result

    return handle


@contextmanager
def _explaining(context: _Context) -> Iterator[None]:
    """Errors within are the protocol's afterwards, and the trail hears of them."""
    try:
        yield
    except Refused as refusal:
        _caller(context).failed = True
        raise MCPError(refusal.code, refusal.message, refusal.data) from None
    except CodeTetherError as error:
        _caller(context).failed = True
        raise MCPError(INVALID_PARAMS, told(error), {"code": error.code}) from None
    except MCPError:
        _caller(context).failed = True
        raise
    except Exception as error:
        _caller(context).failed = True
        frames = traceback.extract_tb(error.__traceback__)
        _log.error(
            "request_failed",
            route=context.method,
            error=f"{type(error).__module__}.{type(error).__qualname__}",
            where=[f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
        )
        raise MCPError(_INTERNAL, "Something went wrong on our side; the server's log has it") from None


def _completing(served: Served) -> Callable[[Exchange, Any], Awaitable[Mapping[str, Any]]]:
    async def complete(exchange: Exchange, params: types.CompleteRequestParams) -> Mapping[str, Any]:
        context = params.context.arguments if params.context and params.context.arguments else {}
        ref = params.ref.model_dump(by_alias=True)
        return await served.complete(exchange, ref, params.argument.name, params.argument.value, context)

    return complete


def exchange_of(context: _Context, params: Any) -> Exchange:
    """The request, without anything of the library's."""
    session, meta = context.session, context.meta or {}
    capabilities = session.client_capabilities

    async def progress(done: float, words: str) -> None:
        await session.report_progress(done, None, words)

    return Exchange(
        caller=_caller(context),
        protocol=context.protocol_version,
        capabilities=capabilities.model_dump(by_alias=True, exclude_none=True) if capabilities else {},
        progress=progress,
        wants_progress=meta.get("progress_token") is not None,
        answers=_plain(getattr(params, "input_responses", None)),
        state=getattr(params, "request_state", None),
        native=context,
    )


def _plain(answers: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    if answers is None:
        return None
    return {name: each.model_dump(by_alias=True, exclude_none=True) for name, each in answers.items()}


def _cursor(params: Any) -> str | None:
    return None if params is None else params.cursor
