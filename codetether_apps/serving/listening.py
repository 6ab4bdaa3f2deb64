"""The server's socket, bound by us, so that a taken port is one sentence under every HTTP server."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from codetether_apps.process import StartError
from codetether_apps.settings import Settings

__all__ = ["bound", "listen", "url_of"]

_BACKLOG: Final = 2048


@contextmanager
def bound(settings: Settings) -> Iterator[socket.socket]:
    """The socket, bound and not yet listening; ``StartError`` says why it cannot be."""
    host, port = settings.server.host.strip("[]"), settings.server.port
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise StartError(f"cannot listen on {host}: {error.strerror}", hint="name another --host") from None
    with socket.socket(family, kind, protocol) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            listener.bind(address)
        except OSError as error:
            raise _refused(host, port, error) from None
        listener.setblocking(False)
        yield listener


def listen(listener: socket.socket, settings: Settings) -> None:
    """From now on connections are accepted; ``StartError`` if somebody else was faster."""
    try:
        listener.listen(_BACKLOG)
    except OSError as error:
        raise _refused(settings.server.host, settings.server.port, error) from None


def url_of(listener: socket.socket) -> str:
    """Where a local client reaches the server."""
    name: str = listener.getsockname()[0]
    port: int = listener.getsockname()[1]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(name, name)  # noqa: S104 - every address includes loopback
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _refused(host: str, port: int, error: OSError) -> StartError:
    match error.errno:
        case errno.EADDRINUSE:
            return StartError(
                f"port {port} on {host} is taken by another program",
                hint="stop that one, or choose another with --port (CODETETHER_PORT); 0 takes a free one",
            )
        case errno.EACCES:
            return StartError(f"port {port} needs privileges", hint="choose one above 1023 with --port")
        case _:
            return StartError(f"cannot listen on {host}:{port}: {error.strerror}", hint="choose another --host")
