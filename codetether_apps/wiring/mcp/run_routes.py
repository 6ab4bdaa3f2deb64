"""Where the run of a task finds tools: the token of its lease is all that it shows, and good for nothing else."""

from __future__ import annotations

import asyncio
from typing import Final

from codetether_adapters.http import Call, Encoded, Mounted, Route
from codetether_adapters.http.negotiating import require_json, require_taker_of_json
from codetether_adapters.http.origins import require_own_origin
from codetether_adapters.mcp.answering import Answering, Receive, Scope, Send
from codetether_adapters.mcp.caller import Caller, Held
from codetether_adapters.mcp.encoding import encode
from codetether_apps.wiring.mcp.messages import message_of
from codetether_apps.wiring.mcp.routes import ANSWER, HEADERS, HOW, STREAM, JsonRpcMessage
from codetether_core.access import LEASE, Principal, require_tenant
from codetether_core.errors import NotConfigured, Unauthenticated, Unavailable
from codetether_core.ids import TaskId, TenantId
from codetether_core.services import ToolUsing

__all__ = ["RUNS", "run_routes"]

RUNS: Final = "/mcp/v1/runs"
_BEARER: Final = "bearer"


def run_routes(endpoint: Answering | None, using: ToolUsing, *, prefix: str = "") -> tuple[Route, ...]:
    """The route below ``prefix``; without an ``endpoint`` there are no tools."""

    async def run(call: Call) -> Encoded | Mounted:
        """Tools that the run of a task may use (MCP, Streamable HTTP without sessions), with the lease's token.

        Whoever shows another one learns nothing, not even whether there is such a task.
        """
        require_own_origin(call)
        caller = await recognized(call)
        message, _, refusal = await message_of(call)
        if refusal is not None:
            return refusal
        require_json(call.headers)
        require_taker_of_json(call.headers)
        if (served_by := endpoint) is None:
            raise NotConfigured("No tools of others are used here", hint=f"{HOW} on the server")

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            answering = asyncio.ensure_future(served_by.answer(caller, scope, receive, send))

            def leave() -> None:
                answering.cancel()

            try:
                with call.drain.watched(leave):
                    await asyncio.wait({answering})
                if answering.cancelled():
                    raise Unavailable("This server is shutting down", hint="connect again")
                answering.result()
            finally:
                call.request.failed = caller.failed
                if answering.cancel():
                    await asyncio.wait({answering})

        return Mounted(answer, encode(message))

    async def recognized(call: Call) -> Caller:
        """The holder whose lease it is; who is none is counted as whoever is not recognized."""
        scheme, _, token = (call.headers.get("authorization") or "").partition(" ")
        tenant, task = TenantId(call.path["tenant"]), TaskId(call.path["task_id"])
        try:
            if scheme.lower() != _BEARER:
                raise Unauthenticated("Missing Bearer token", hint="show the token of the lease")
            word = await using.recognized(tenant, task, token.strip())
        except Unauthenticated:
            await call.limiting.count_failure(call.address)
            raise
        principal = Principal(name=word.principal, tenant=tenant)
        call.request.recognize(principal)
        await call.limiting.count_request(principal, LEASE)
        named = call.headers.get("x-tenant-id")
        require_tenant(principal, None if named is None else TenantId(named))
        return Caller(principal=principal, holds=Held(task, word, call.request.act.actor))

    return (
        Route(
            "POST",
            f"{prefix}{RUNS}/{{tenant}}/{{task_id}}",
            run,
            LEASE,
            summary="Tools of a run (MCP)",
            tag="mcp",
            headers=HEADERS,
            body=JsonRpcMessage,
            answer=ANSWER,
            refusal=ANSWER,
            also={202: None},
            stream=STREAM,
            errors=(400, 401, 403, 404, 406, 408, 413, 415, 421, 429, 501, 503),
        ),
    )
