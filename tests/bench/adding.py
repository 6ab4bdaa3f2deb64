"""What MCP is held against: the first example of the SDK's own documentation, which adds two numbers."""

from __future__ import annotations

import asyncio
import os

from mcp.server import MCPServer
from starlette.routing import Route

from tests.bench.echo import ready, serve_for_ever

example = MCPServer("Demo", log_level="ERROR")


@example.tool()
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


async def main(port: int) -> None:
    """Serve until terminated."""
    application = example.streamable_http_app(streamable_http_path="/mcp", stateless_http=True)
    application.router.routes.append(Route("/readyz", ready))
    await serve_for_ever(application, port)


if __name__ == "__main__":
    asyncio.run(main(int(os.environ["CODETETHER_PORT"])))
