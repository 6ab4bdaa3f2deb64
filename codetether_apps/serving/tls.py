"""TLS as the settings say, and what the files say now: each handshake takes what was right last."""

from __future__ import annotations

import ssl
from datetime import datetime
from pathlib import Path
from typing import Final, TypeAlias

from attrs import define, field

from codetether_apps.serving.certificates import Loaded, load
from codetether_apps.settings import Settings, SettingsError

__all__ = ["Fingerprint", "Tls", "open_tls"]

Fingerprint: TypeAlias = tuple[tuple[int, int, int] | None, ...]

_TOGETHER: Final = (
    ("tls_cert", "tls_key", "to the file of its private key"),
    ("tls_key", "tls_cert", "to the file of the certificate that it belongs to"),
    ("mtls_port", "mtls_ca", "to the file of the authority whose clients may connect"),
    ("mtls_ca", "mtls_port", "to the port that its clients connect to"),
    ("mtls_port", "tls_cert", "and CODETETHER_TLS_KEY: clients want to see a certificate too"),
)
"""What is of no use alone, what it needs, and what that is to be set to."""


@define(eq=False)
class Tls:
    """The contexts of the listeners, and of a client in this process. ``tried`` is what the files were when they were
    read last.
    """

    _settings: Settings
    _cert: Path
    _key: Path
    _ca: Path | None
    tried: Fingerprint
    _loaded: Loaded
    _mine: ssl.SSLContext = field(init=False)

    def __attrs_post_init__(self) -> None:
        """The client's trusts this server and nobody else, by whatever name it has."""
        self._mine = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._mine.check_hostname = False
        self._mine.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        self._mine.load_verify_locations(cadata=self._loaded.leaf)

    @property
    def mine(self) -> ssl.SSLContext:
        """How a client in this process speaks to its server."""
        return self._mine

    @property
    def anybody(self) -> ssl.SSLContext:
        """How the server speaks to everybody."""
        context = self._loaded.anybody

        def newest(connection: ssl.SSLObject, name: str | None, first: ssl.SSLContext) -> None:
            connection.context = self._loaded.anybody

        context.sni_callback = newest
        return context

    @property
    def certified(self) -> ssl.SSLContext | None:
        """How it speaks to those who have a certificate, if they have a port of their own."""
        context = self._loaded.certified

        def newest(connection: ssl.SSLObject, name: str | None, first: ssl.SSLContext) -> None:
            connection.context = self._loaded.certified or first

        if context is not None:
            context.sni_callback = newest
        return context

    def reload(self) -> datetime:
        """Read the files anew, for connections from now on; until when the certificate is good. ``SettingsError``
        where they are wrong: then nothing has changed.
        """
        self.tried = self.fingerprint()
        self._loaded = load(self._settings, self._cert, self._key, self._ca)
        self._mine.load_verify_locations(cadata=self._loaded.leaf)
        return self._loaded.until

    def fingerprint(self) -> Fingerprint:
        """Another one once a file was changed or replaced, be it behind a link."""
        return _fingerprint(self._cert, self._key, self._ca)


def open_tls(settings: Settings) -> Tls | None:
    """TLS, if the settings want it; ``SettingsError`` for half of it, and for files that are wrong."""
    server = settings.server
    for given, missing, what in _TOGETHER:
        if getattr(server, given) is not None and getattr(server, missing) is None:
            raise SettingsError(
                f"server.{given} ({settings.origin(f'server.{given}')}) needs server.{missing}, which is not set",
                hint=f"set CODETETHER_{missing.upper()} {what}",
            )
    cert, key, ca = server.tls_cert, server.tls_key, server.mtls_ca
    if cert is None or key is None:
        return None
    tried = _fingerprint(cert, key, ca)  # before they are read: what changes from then on is seen
    return Tls(settings, cert, key, ca, tried, load(settings, cert, key, ca))


def _fingerprint(*paths: Path | None) -> Fingerprint:
    return tuple(_seen(path) for path in paths if path is not None)


def _seen(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size
