"""TLS before a server that speaks none: an authority, the certificates it issues, and a gate that takes them."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from threading import Thread
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

__all__ = ["Authority", "gate"]

_HOST: Final = "127.0.0.1"
_LASTS: Final = timedelta(days=1)
_PEM: Final = serialization.Encoding.PEM


class Authority:
    """Issues certificates. Everything is in files of a directory of its own; ``ca`` is its own certificate."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True)
        self.ca = directory / "ca.pem"
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named(directory.name)
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        self.ca.write_bytes(self._sign(self._name, self._key.public_key(), constraints, signs=True))

    def issue(
        self, name: str, host: str = _HOST, *, also: Sequence[x509.GeneralName] = (), lasts: timedelta = _LASTS
    ) -> tuple[Path, Path]:
        """A certificate for an address and what it is called ``also``, and its key; the same files each time for a
        name.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        alternative = x509.SubjectAlternativeName([x509.IPAddress(ip_address(host)), *also])
        certificate, secret = self._directory / f"{name}.pem", self._directory / f"{name}.key"
        certificate.write_bytes(self._sign(_named(name), key.public_key(), alternative, lasts=lasts))
        private = key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        secret.write_bytes(private)
        return certificate, secret

    def _sign(
        self,
        name: x509.Name,
        key: ec.EllipticCurvePublicKey,
        extension: x509.ExtensionType,
        *,
        signs: bool = False,
        lasts: timedelta = _LASTS,
    ) -> bytes:
        now = datetime.now(UTC)
        nothing_else = dict.fromkeys(
            ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "crl_sign"), False
        )
        usage = x509.KeyUsage(
            digital_signature=True, key_cert_sign=signs, encipher_only=False, decipher_only=False, **nothing_else
        )
        mine = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        certificate = (
            x509.CertificateBuilder(self._name, name, key, x509.random_serial_number())
            .not_valid_before(now - timedelta(days=2))
            .not_valid_after(now + lasts)
            .add_extension(extension, critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(mine, critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return certificate.public_bytes(_PEM)


@contextmanager
def gate(port: int, authority: Authority, *, host: str = _HOST, clients: Authority | None = None) -> Iterator[int]:
    """A port that speaks TLS and passes everything on to another, with a certificate for ``host``.

    With ``clients`` it lets in nobody without a certificate of theirs.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("server", host))
    if clients is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(clients.ca)
    with socket.create_server((_HOST, 0)) as listener:
        thread = Thread(target=_let_in, args=(listener, context, port), daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def _let_in(listener: socket.socket, context: ssl.SSLContext, port: int) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            Thread(target=_pass_on, args=(client, context, port), daemon=True).start()


def _pass_on(client: socket.socket, context: ssl.SSLContext, port: int) -> None:
    """Until one side hangs up. A blocking handshake tells the client why it fails; that of asyncio does not."""
    with suppress(OSError), context.wrap_socket(client, server_side=True, do_handshake_on_connect=False) as near:
        try:
            near.do_handshake()
        except ssl.SSLError:
            _hang_up(near)
            return
        with socket.create_connection((_HOST, port)) as far:
            back = Thread(target=_pump, args=(far, near), daemon=True)
            back.start()
            _pump(near, far)
            far.shutdown(socket.SHUT_RDWR)
            back.join()


def _hang_up(near: ssl.SSLSocket) -> None:
    """Only once the client has heard why."""
    with suppress(OSError), socket.socket(fileno=near.detach()) as line:
        line.shutdown(socket.SHUT_WR)
        while line.recv(65536):
            pass


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_RDWR)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
