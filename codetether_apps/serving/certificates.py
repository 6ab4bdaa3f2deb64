"""The files that TLS is made of: read, tried out, and where one is wrong, told of by its setting."""

from __future__ import annotations

import ssl
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from attrs import frozen
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from codetether_apps.serving.engines import SPOKEN
from codetether_apps.serving.peers import note_peer
from codetether_apps.settings import Settings, SettingsError

__all__ = ["Loaded", "load"]

_CERT: Final = "server.tls_cert"
_KEY: Final = "server.tls_key"
_CA: Final = "server.mtls_ca"


@frozen(kw_only=True)
class Loaded:
    """What the files say: ``certified`` demands a certificate of its clients, ``leaf`` is ours, good ``until`` then."""

    anybody: ssl.SSLContext
    certified: ssl.SSLContext | None
    leaf: str
    until: datetime


class _Prompt(ssl.SSLObject):
    """Says that it closes, and does so; asyncio would give each client 30 seconds to answer that, and so hold up who
    leaves. It also notes whom it speaks to.
    """

    def do_handshake(self) -> None:
        super().do_handshake()
        note_peer(self)

    def unwrap(self) -> None:
        with suppress(ssl.SSLWantReadError):
            super().unwrap()


def load(settings: Settings, cert: Path, key: Path, ca: Path | None) -> Loaded:
    """Read the files anew; ``SettingsError`` if nobody could connect with what they say."""
    certificate = _certificate(settings, cert)
    until = certificate.not_valid_after_utc
    if until <= datetime.now(UTC):
        raise _wrong(settings, _CERT, cert, f"which expired at {until:%Y-%m-%d %H:%M} UTC", "have it issued anew")
    anybody = _context(settings, cert, key)
    certified = None
    if ca is not None:
        certified = _context(settings, cert, key)
        certified.verify_mode = ssl.CERT_REQUIRED
        _read(settings, _CA, ca)
        try:
            certified.load_verify_locations(ca)
        except ssl.SSLError:
            raise _wrong(
                settings, _CA, ca, "where there is no certificate in PEM", "name the authority's certificate"
            ) from None
    leaf = certificate.public_bytes(Encoding.PEM).decode("ascii")
    return Loaded(anybody=anybody, certified=certified, leaf=leaf, until=until)


def _context(settings: Settings, cert: Path, key: Path) -> ssl.SSLContext:
    _read(settings, _KEY, key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sslobject_class = _Prompt
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(SPOKEN[settings.server.asgi])
    try:
        context.load_cert_chain(cert, key, password="")  # or OpenSSL would ask for one on the terminal
    except ssl.SSLError as error:
        match error.reason:
            case "KEY_VALUES_MISMATCH":
                why, step = f"which is not the key of {cert}", f"name the one that belongs to {_CERT}"
            case "EE_KEY_TOO_SMALL" | "CA_KEY_TOO_SMALL" | "CA_MD_TOO_WEAK":
                raise _wrong(settings, _CERT, cert, "which is too weak", "have one issued of today's kind") from None
            case _:
                why, step = "where there is no private key in PEM without a password", "openssl pkey writes one"
        raise _wrong(settings, _KEY, key, why, step) from None
    return context


def _certificate(settings: Settings, path: Path) -> x509.Certificate:
    """The server's own, which comes first."""
    pem = _read(settings, _CERT, path)
    try:
        return x509.load_pem_x509_certificates(pem)[0]
    except ValueError:
        raise _wrong(
            settings, _CERT, path, "where there is no certificate in PEM", "openssl x509 -inform der writes one"
        ) from None


def _read(settings: Settings, name: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        why = f"which cannot be read: {error.strerror}"
        raise _wrong(settings, name, path, why, "name another file, or let this user read it") from None


def _wrong(settings: Settings, name: str, path: Path, why: str, step: str) -> SettingsError:
    return SettingsError(f"{name} ({settings.origin(name)}) names {path}, {why}", hint=step)
