"""TLS with a server whose certificate an authority of its own signed, and with one that wants to see ours."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Final

from httpx import create_ssl_context

from codetether_adapters.client.errors import ConnectionFailed
from codetether_core.errors import Invalid

__all__ = ["Untrusted", "tls_with", "untrusted"]


_RENEW: Final = "have the server's certificate issued anew, and look at this machine's clock"
_ADDRESS: Final = "reach the server by a name that its certificate has"
_STEPS: Final = {9: _RENEW, 10: _RENEW, 62: _ADDRESS, 64: _ADDRESS}
"""By OpenSSL's number of what is wrong (X509_V_ERR)."""


class Untrusted(ConnectionFailed):
    """The server's certificate does not count here; to ask again is no use."""


def untrusted(error: BaseException, server: str) -> Untrusted | None:
    """What is wrong with the server's certificate, if that is why there is no connection."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLCertVerificationError):
        cause = cause.__cause__ or cause.__context__
    if cause is None:
        return None
    why = cause.verify_message.rstrip(".")
    return Untrusted(
        f"The certificate of {server} is not trusted: {why}",
        hint=_STEPS.get(cause.verify_code, "name the authority that signed it: CODETETHER_CA=/PATH/ca.pem"),
    )


def tls_with(*, ca: Path | None = None, cert: Path | None = None, key: Path | None = None) -> ssl.SSLContext:
    """Trust the authorities in ``ca`` alone, else the public ones or those of ``SSL_CERT_FILE``; show ``cert``.

    The files are PEM; ``Invalid`` names the one that is wrong.
    """
    context = _trusting(ca)
    if cert is None and key is None:
        return context
    for name, path, other in (("client_cert", cert, "client_key"), ("client_key", key, "client_cert")):
        if path is None:
            raise Invalid(name, f"is not set, and {other} needs it", hint=f"set CODETETHER_{name.upper()}")
        _check_readable(name, path)
    assert cert is not None  # noqa: S101 - just looked at
    try:
        context.load_cert_chain(cert, key, password="")  # or OpenSSL would ask for one on the terminal
    except ssl.SSLError as error:
        raise Invalid(
            "client_cert",
            f"names {cert}, which cannot be used with the key {key}",
            hint="both are PEM, the key belongs to the certificate and has no password",
        ) from error
    return context


def _trusting(ca: Path | None) -> ssl.SSLContext:
    if ca is None:
        try:
            return create_ssl_context()
        except OSError as error:
            raise Invalid("SSL_CERT_FILE", f"cannot be used: {error.strerror}", hint="unset it") from error
    _check_readable("ca", ca)
    try:
        return ssl.create_default_context(cafile=ca)
    except ssl.SSLError as error:
        raise Invalid(
            "ca", f"names {ca}, where there is no certificate in PEM", hint="name the authority's certificate"
        ) from error


def _check_readable(name: str, path: Path) -> None:
    try:
        path.read_bytes()
    except OSError as error:
        raise Invalid(
            name, f"names {path}, which cannot be read: {error.strerror}", hint="name a file that can be"
        ) from None
