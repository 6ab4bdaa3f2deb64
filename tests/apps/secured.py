"""A server that speaks TLS, and what its clients see of it."""

from __future__ import annotations

import re
import shutil
import socket
import ssl
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Final

from attrs import define, field

from tests.apps.conftest import Launch
from tests.e2e.programs import Program, until
from tests.servers.tls import Authority

__all__ = ["TOKEN", "Secured", "fingerprint_of", "secured"]

TOKEN: Final = "t" * 20


@define
class Secured:
    """The files it is told of are ``cert``, ``key`` and ``ca``; what it says is in the ``program``'s log."""

    authority: Authority
    cert: Path
    key: Path
    ca: Path
    program: Program
    ports: tuple[int, ...] = field(init=False)

    def __attrs_post_init__(self) -> None:
        until(lambda: self.program.process.poll() is not None or "listening" in self.program.said, "the start")
        assert self.program.process.poll() is None, self.program.said
        self.ports = tuple(int(port) for port in re.findall(r"https://127\.0\.0\.1:(\d+)", self.program.said))

    @property
    def url(self) -> str:
        """Where everybody reaches it."""
        return f"https://127.0.0.1:{self.ports[0]}"

    def replace(self, cert: Path, key: Path) -> None:
        """Other files in their place."""
        shutil.copy(cert, self.cert)
        shutil.copy(key, self.key)

    def connect(self, *, trusts: Authority | None = None, shows: tuple[Path, Path] | None = None, at: int = 0) -> Line:
        """A new connection to the port ``at`` that position."""
        context = ssl.create_default_context(cafile=(trusts or self.authority).ca)
        if shows is not None:
            context.load_cert_chain(*shows)
        return Line(context, self.ports[at])

    def half(self) -> socket.socket:
        """A connection on which nobody speaks TLS yet."""
        return socket.create_connection(("127.0.0.1", self.ports[0]), 20)

    def shown(self) -> str:
        """The fingerprint of the certificate that new connections see."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with Line(context, self.ports[0]) as line:
            return sha256(line.socket.getpeercert(binary_form=True) or b"").hexdigest()


class Line:
    """A connection over TLS."""

    def __init__(self, context: ssl.SSLContext, port: int) -> None:
        plain = socket.create_connection(("127.0.0.1", port), 20)
        try:
            self.socket = context.wrap_socket(plain, server_hostname="127.0.0.1")
        except BaseException:
            plain.close()
            raise

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def ask(self, method: str, path: str, body: str = "", *, token: str = TOKEN) -> None:
        """Ask something."""
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
        self.socket.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())

    def hear(self, text: bytes) -> bytes:
        """What was answered up to the text."""
        heard = b""
        while text not in heard:
            chunk = self.socket.recv(65536)
            if not chunk:
                raise ConnectionError(heard)
            heard += chunk
        return heard


def secured(
    launch: Launch, directory: Path, settings: Mapping[str, str], *, module: str = "codetether_apps.server"
) -> Secured:
    """A running one, with a certificate of an authority of its own."""
    authority = Authority(directory / "ours")
    cert, key, ca = directory / "tls.crt", directory / "tls.key", directory / "ca.crt"
    for source, place in zip((*authority.issue("server"), authority.ca), (cert, key, ca), strict=True):
        shutil.copy(source, place)
    environment = {
        "CODETETHER_DATA_DIR": str(directory / "data"),
        "CODETETHER_TOKENS": f"all:{TOKEN}:admin",
        "CODETETHER_DRAIN": "2s",
        "CODETETHER_LOG_FORMAT": "json",
        "CODETETHER_PORT": "0",
        "CODETETHER_TLS_CERT": str(cert),
        "CODETETHER_TLS_KEY": str(key),
        **settings,
    }
    return Secured(authority, cert, key, ca, launch(directory / "log", environment, "-m", module))


def fingerprint_of(cert: Path) -> str:
    """That of the certificate in a file."""
    return sha256(ssl.PEM_cert_to_DER_cert(cert.read_text())).hexdigest()
