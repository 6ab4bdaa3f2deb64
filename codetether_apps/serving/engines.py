"""The HTTP servers that can carry the application: hypercorn, which we ship, and uvicorn."""

from __future__ import annotations

import asyncio
import logging
import math
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, Protocol

from starlette.types import ASGIApp

from codetether_apps.serving.bounds import Bounds
from codetether_apps.serving.peers import shown_by, telling, this_connection
from codetether_apps.settings import SettingsError

__all__ = ["ENGINES", "SPOKEN", "Engine"]

_FOR_EVER: Final = 10**9


class Engine(Protocol):
    """Serves an application on a listening socket, over TLS if there is a context, until ``leave`` returns; then it
    ends every connection.
    """

    async def __call__(
        self,
        application: ASGIApp,
        listener: socket.socket,
        tls: ssl.SSLContext | None,
        leave: Callable[[], Awaitable[None]],
        bounds: Bounds,
    ) -> None: ...


async def _hypercorn(
    application: ASGIApp,
    listener: socket.socket,
    tls: ssl.SSLContext | None,
    leave: Callable[[], Awaitable[None]],
    bounds: Bounds,
) -> None:
    import hypercorn.asyncio
    import hypercorn.config

    from codetether_apps.serving.hypercorn_protocols import install
    from codetether_apps.serving.unread import discarding

    class Config(hypercorn.config.Config):
        @property
        def ssl_enabled(self) -> bool:
            return tls is not None

        def create_ssl_context(self) -> ssl.SSLContext | None:
            return tls

    install(bounds)
    config = Config()
    config.bind = [f"fd://{listener.detach()}"]
    config.errorlog = logging.getLogger("hypercorn.error")
    config.include_server_header = False
    config.keep_alive_timeout = bounds.idle.total_seconds()
    config.h11_max_incomplete_size = bounds.head
    config.h2_max_header_list_size = bounds.head
    config.h2_max_concurrent_streams = bounds.streams
    config.keep_alive_max_requests = _FOR_EVER
    config.graceful_timeout = _FOR_EVER  # who calls us has the patience
    config.backlog = 2048
    if _asks_for_certificates(tls):
        application = telling(application, this_connection)
    await hypercorn.asyncio.serve(discarding(application), config, shutdown_trigger=leave)  # type: ignore[arg-type]


async def _uvicorn(
    application: ASGIApp,
    listener: socket.socket,
    tls: ssl.SSLContext | None,
    leave: Callable[[], Awaitable[None]],
    bounds: Bounds,
) -> None:
    try:
        import uvicorn

        from codetether_apps.serving.uvicorn_protocol import bounded
    except ModuleNotFoundError:
        raise SettingsError(
            "server.asgi is uvicorn, which is not installed", hint="pip install 'codetether-hub[uvicorn]'"
        ) from None

    class Server(uvicorn.Server):
        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield  # signals are our affair

    config = uvicorn.Config(
        application,
        http=bounded(bounds),
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # whose word counts is our affair
        timeout_keep_alive=math.ceil(bounds.idle.total_seconds()),
    )
    config.load()
    config.ssl = tls
    if _asks_for_certificates(tls):
        config.http_protocol_class = _told_of_its_peer(config.http_protocol_class)
    server = Server(config)

    async def watch() -> None:
        await leave()
        server.should_exit = True

    watcher = asyncio.create_task(watch())
    try:
        await server.serve(sockets=[listener])
    finally:
        watcher.cancel()


def _told_of_its_peer(protocol: Any) -> Any:
    """The same protocol of uvicorn, whose application knows the certificate of the connection."""

    class Told(protocol):  # type: ignore[misc]
        app: ASGIApp

        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(transport)
            shown = shown_by(transport.get_extra_info("ssl_object"))
            self.app = telling(self.app, lambda: shown)

    return Told


def _asks_for_certificates(tls: ssl.SSLContext | None) -> bool:
    return tls is not None and tls.verify_mode is ssl.CERT_REQUIRED


SPOKEN: Final = {"hypercorn": ("h2", "http/1.1"), "uvicorn": ("http/1.1",)}
"""What each speaks over TLS, the best first (ALPN)."""

ENGINES: Final[dict[str, Engine]] = {"hypercorn": _hypercorn, "uvicorn": _uvicorn}
