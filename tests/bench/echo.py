"""The ceiling's application: Starlette, one POST route, 300 bytes of JSON in and out; ``servers`` runs it."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import cast

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


async def echo(request: Request) -> Response:
    return Response(orjson.dumps(orjson.loads(await request.body())), media_type="application/json")


async def ready(request: Request) -> Response:
    return Response(b"{}", media_type="application/json")


application = Starlette(routes=[Route("/echo", echo, methods=["POST"]), Route("/readyz", ready)])


async def serve_for_ever(application: Starlette, port: int) -> None:
    """Serve under the HTTP server that we ship, as it comes."""
    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    from hypercorn.typing import Framework

    config = Config()
    config.bind = [f"127.0.0.1:{port}"]
    config.keep_alive_max_requests = 1_000_000
    await serve(cast(Framework, application), config)


def main(asgi: str, port: int) -> None:
    """Serve until terminated."""
    if asgi == "uvicorn":
        import uvicorn

        uvicorn.run(application, host="127.0.0.1", port=port, log_level="error", access_log=False)
        return
    asyncio.run(serve_for_ever(application, port))


if __name__ == "__main__":
    main(sys.argv[1], int(os.environ["CODETETHER_PORT"]))
