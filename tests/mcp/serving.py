"""A catalogue served for real: our application under our HTTP server, on a free port of this machine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from mcp.server import Server

from codetether_adapters import memory
from codetether_adapters.http import Drain, create_app
from codetether_adapters.mcp.binding import server_of
from codetether_adapters.mcp.served import Served
from codetether_adapters.mcp.serving import Endpoint
from codetether_adapters.tokens import StaticTokens
from codetether_apps.process import Stopping
from codetether_apps.serving.listening import bound, listen
from codetether_apps.serving.serve import serve
from codetether_apps.settings import read_settings
from codetether_apps.wiring.mcp import mcp_routes
from codetether_core.access import Principal
from codetether_core.services import RolePolicy, assemble
from tests.http.resources.harness import Dice, FakeClock

__all__ = ["serving"]

ANYBODY = Principal(name="anybody", roles=frozenset({"admin"}))


@asynccontextmanager
async def serving(
    served: Served, extended: Callable[[Server[Any]], Server[Any]] = lambda server: server, *, key: bytes | None = None
) -> AsyncIterator[str]:
    """Where it is; nobody has to sign in."""
    settings = read_settings({"server.port": "0"}, environment={})
    async with memory.open_backend("memory://") as backend:
        services, drain, stopping, policy = assemble(backend, FakeClock(), Dice()), Drain(), Stopping(), RolePolicy()
        routes = mcp_routes(served, Endpoint(extended(server_of(served, key))), policy)
        app = create_app(
            services, authenticator=StaticTokens(()), authorizer=policy, routes=routes, anonymous=ANYBODY, drain=drain
        )
        with bound(settings) as binds:
            listen(binds)
            url = binds[0].url
            task = asyncio.create_task(serve(app, binds, settings, drain=drain, stopping=stopping))
            try:
                yield url
            finally:
                stopping.ask()
                await task
