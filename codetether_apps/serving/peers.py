"""The certificates that clients showed to us, told to the application by the ASGI extension ``tls``.

Neither engine does so itself. uvicorn's protocol knows its connection. Hypercorn keeps it to itself, so there the
handshake leaves the certificate in the context of the connection's callback, of which the task that serves the
connection, and every request on it, has a copy: others have another.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from contextvars import ContextVar
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["note_peer", "shown_by", "telling", "this_connection"]

_PEER: Final[ContextVar[str | None]] = ContextVar("peer", default=None)


def shown_by(connection: ssl.SSLObject) -> str | None:
    """The certificate (PEM) of the client at its other end, if there is one."""
    der = connection.getpeercert(binary_form=True)
    return None if der is None else ssl.DER_cert_to_PEM_cert(der)


def note_peer(connection: ssl.SSLObject) -> None:
    """The handshake is done: what is called from here on is about this connection."""
    _PEER.set(shown_by(connection))


def this_connection() -> str | None:
    """The certificate of the client on whose connection we are called."""
    return _PEER.get()


def telling(application: ASGIApp, certificate: Callable[[], str | None]) -> ASGIApp:
    """The application, which is told what ``certificate`` says at each request."""

    async def tell(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            pem = certificate()
            chain = () if pem is None else (pem,)
            scope.setdefault("extensions", {})["tls"] = {"client_cert_chain": chain, "client_cert_error": None}
        await application(scope, receive, send)

    return tell
