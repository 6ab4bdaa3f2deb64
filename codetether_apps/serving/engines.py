"""The HTTP servers that can carry the application: hypercorn, which we ship, and uvicorn."""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeAlias

from starlette.types import ASGIApp

from codetether_apps.settings import SettingsError

__all__ = ["ENGINES", "SPOKEN", "Engine"]

Engine: TypeAlias = Callable[
    [ASGIApp, socket.socket, ssl.SSLContext | None, Callable[[], Awaitable[None]]], Coroutine[Any, Any, None]
]
"""Serves an application on a listening socket, over TLS if there is a context, until the last argument returns; then
it ends every connection.
"""

_KEEP_ALIVE: Final = 75
_FOR_EVER: Final = 10**9


async def _hypercorn(
    application: ASGIApp, listener: socket.socket, tls: ssl.SSLContext | None, leave: Callable[[], Awaitable[None]]
) -> None:
    import hypercorn.asyncio
    import hypercorn.config

    class Config(hypercorn.config.Config):
        @property
        def ssl_enabled(self) -> bool:
            return tls is not None

        def create_ssl_context(self) -> ssl.SSLContext | None:
            return tls

    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.errorlog = logging.getLogger("hypercorn.error")
    config.include_server_header = False
    config.keep_alive_timeout = _KEEP_ALIVE
    config.keep_alive_max_requests = _FOR_EVER
    config.graceful_timeout = _FOR_EVER  # who calls us has the patience
    config.backlog = 2048
    await hypercorn.asyncio.serve(application, config, shutdown_trigger=leave)  # type: ignore[arg-type]


async def _uvicorn(
    application: ASGIApp, listener: socket.socket, tls: ssl.SSLContext | None, leave: Callable[[], Awaitable[None]]
) -> None:
    import asyncio

    try:
        import uvicorn
    except ModuleNotFoundError:
        raise SettingsError(
            "server.asgi is uvicorn, which is not installed", hint="pip install 'codetether-hub[uvicorn]'"
        ) from None

    class Server(uvicorn.Server):
        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield  # signals are our affair

    config = uvicorn.Config(
        application, log_config=None, access_log=False, server_header=False, timeout_keep_alive=_KEEP_ALIVE
    )
    config.load()
    config.ssl = tls
    server = Server(config)

    async def watch() -> None:
        await leave()
        server.should_exit = True

    watcher = asyncio.create_task(watch())
    try:
        await server.serve(sockets=[listener])
    finally:
        watcher.cancel()


SPOKEN: Final = {"hypercorn": ("h2", "http/1.1"), "uvicorn": ("http/1.1",)}
"""What each speaks over TLS, the best first (ALPN)."""

ENGINES: Final[dict[str, Engine]] = {"hypercorn": _hypercorn, "uvicorn": _uvicorn}
