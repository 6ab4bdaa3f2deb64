"""The server's sockets, bound by us, so that a taken port is one sentence under every HTTP server."""

from __future__ import annotations

import errno
import math
import socket
import ssl
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Final

import structlog
from attrs import Factory, field, frozen

from codetether_apps.process import StartError
from codetether_apps.serving.tls import Tls
from codetether_apps.settings import Settings

__all__ = ["Bind", "bound", "listen"]

_BACKLOG: Final = 2048
_BESIDES: Final[Mapping[str, str]] = {"--mcp-port": "mcp.port"}
"""Ports where there is nothing that is not on another one too, and the settings that name them."""

_MILLISECOND: Final = timedelta(milliseconds=1)

_log = structlog.get_logger(__name__)


@frozen
class Bind:
    """A socket to listen on. ``flag`` is what names its port; without ``tls`` it speaks none."""

    listener: socket.socket
    flag: str
    tls: ssl.SSLContext | None = None
    url: str = field(default=Factory(lambda self: _url(self.listener, self.tls), takes_self=True), init=False)
    """Where a local client reaches it."""


@contextmanager
def bound(
    settings: Settings, tls: Tls | None = None, also: Sequence[tuple[int, str]] = (), *, alone: bool = False
) -> Iterator[tuple[Bind, ...]]:
    """The sockets, bound and not yet listening, everybody's first; ``StartError`` says why they cannot be.

    ``also`` are further ports for everybody, and the flags that name them; ``alone`` there are no others. Where one
    that nobody named is taken, it is gone without.
    """
    server = settings.server
    wanted = [(server.port, "--port", tls.anybody if tls else None)]
    if server.mtls_port is not None and tls is not None:
        wanted.append((server.mtls_port, "--mtls-port", tls.certified))
    wanted += [(port, flag, tls.anybody if tls else None) for port, flag in also]
    wanted = wanted[-len(also) :] if alone else wanted
    with ExitStack() as stack:
        binds: list[Bind] = []
        for port, flag, context in wanted:
            try:
                listener = stack.enter_context(_socket(server.host.strip("[]"), port, flag, server.stall_timeout))
            except StartError as error:
                if alone or flag not in _BESIDES or settings.origin(_BESIDES[flag]) != "default":
                    raise
                _log.warning("port_not_served", reason=error.message, hint=error.hint)
                continue
            binds.append(Bind(listener, flag, context))
        yield tuple(binds)


def listen(binds: Iterable[Bind]) -> None:
    """From now on connections are accepted; ``StartError`` if somebody else was faster."""
    for bind in binds:
        try:
            bind.listener.listen(_BACKLOG)
        except OSError as error:
            host, port = bind.listener.getsockname()[:2]
            raise _refused(host, port, bind.flag, error) from None


def _url(listener: socket.socket, tls: ssl.SSLContext | None) -> str:
    name: str = listener.getsockname()[0]
    port: int = listener.getsockname()[1]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(name, name)  # noqa: S104 - every address includes loopback
    return f"{'http' if tls is None else 'https'}://{f'[{host}]' if ':' in host else host}:{port}"


@contextmanager
def _socket(host: str, port: int, flag: str, stall: timedelta) -> Iterator[socket.socket]:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise StartError(f"cannot listen on {host}: {error.strerror}", hint="name another --host") from None
    with socket.socket(family, kind, protocol) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if sys.platform == "linux":  # connections have it from their listener; a closed window counts too
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, math.ceil(stall / _MILLISECOND))
        try:
            listener.bind(address)
        except OSError as error:
            raise _refused(host, port, flag, error) from None
        listener.setblocking(False)
        yield listener


def _refused(host: str, port: int, flag: str, error: OSError) -> StartError:
    match error.errno:
        case errno.EADDRINUSE:
            return StartError(
                f"port {port} on {host} is taken by another program",
                hint=f"stop that one, or choose another with {flag} ({_variable(flag)}); 0 takes a free one",
            )
        case errno.EACCES:
            return StartError(f"port {port} needs privileges", hint=f"choose one above 1023 with {flag}")
        case _:
            return StartError(f"cannot listen on {host}:{port}: {error.strerror}", hint="choose another --host")


def _variable(flag: str) -> str:
    return f"CODETETHER_{flag[2:].replace('-', '_').upper()}"
