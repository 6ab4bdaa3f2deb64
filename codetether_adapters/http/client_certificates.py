"""The certificate that a client showed: on this connection, or to a proxy that we trust.

Servers tell of their own by the ASGI extension ``tls``; a proxy does by ``Client-Cert`` (RFC 9440), whose sender
anybody could be, so that it counts from the addresses of trusted proxies only, and is not seen from anywhere else.
"""

from __future__ import annotations

import re
import ssl
from base64 import b64decode
from collections.abc import Sequence
from typing import Final

from attrs import frozen
from starlette.types import Scope

from codetether_adapters.http.addresses import Network, is_trusted
from codetether_core.errors import Unauthenticated

__all__ = ["Presented"]

_CERT: Final = b"client-cert"
_FROM_PROXIES: Final = (_CERT, b"client-cert-chain")
_SHAPE: Final = re.compile(rb"[ \t]*:([A-Za-z0-9+/]+={0,2}):[ \t]*")
_HINT: Final = "the proxy sends the certificate in DER as one structured byte sequence: Client-Cert: :BASE64:"


@frozen
class Presented:
    """Finds it. ``proxies`` are those whose word counts."""

    proxies: Sequence[Network] = ()

    def certificate(self, scope: Scope) -> bytes | None:
        """In DER, where there is one: of whoever asks a trusted proxy, and never that which the proxy has itself.

        ``Unauthenticated`` if it says something else than a certificate.
        """
        if self._believes(scope):
            told = [value for name, value in scope["headers"] if name == _CERT]
            return _byte_sequence(told) if told else None
        tls = (scope.get("extensions") or {}).get("tls") or {}
        chain = tls.get("client_cert_chain") or ()
        if not chain or tls.get("client_cert_error"):
            return None
        return ssl.PEM_cert_to_DER_cert(next(iter(chain)))

    def headers(self, scope: Scope) -> list[tuple[bytes, bytes]]:
        """The request's, without what nobody but a trusted proxy may say."""
        headers: list[tuple[bytes, bytes]] = list(scope["headers"])
        return headers if self._believes(scope) else [each for each in headers if each[0] not in _FROM_PROXIES]

    def _believes(self, scope: Scope) -> bool:
        return bool(self.proxies and scope.get("client") and is_trusted(scope["client"][0], self.proxies))


def _byte_sequence(told: Sequence[bytes]) -> bytes:
    """RFC 9651, section 3.3.5; without parameters, and no list of several."""
    shape = _SHAPE.fullmatch(told[0]) if len(told) == 1 else None
    try:
        if shape is None:
            raise ValueError
        return b64decode(shape[1], validate=True)
    except ValueError:
        raise Unauthenticated("The header Client-Cert is malformed", hint=_HINT) from None
