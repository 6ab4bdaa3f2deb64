"""Servers that are not there, not S3, or stop in the middle: each is said in a sentence, with the next step."""

import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from threading import Thread

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from codetether_adapters.s3 import open_blobs
from codetether_core.artifacts import CHUNK, BlobId
from codetether_core.errors import Unavailable
from contracts.ports.samples import TENANT

pytestmark = pytest.mark.anyio

DATA = b"x" * (3 * CHUNK)
ID = BlobId(sha256(DATA).hexdigest())
EMPTY_LIST = b"<ListBucketResult><Name>bucket</Name><IsTruncated>false</IsTruncated></ListBucketResult>"


class Failing(BaseHTTPRequestHandler):
    """Lists nothing, and stops in the middle of every object."""

    status, body, kind = 200, EMPTY_LIST, "application/xml"

    def do_GET(self) -> None:
        if "list-type" in self.path:
            self.answer(self.status, self.body, len(self.body))
        else:
            self.answer(200, DATA[: 2 * CHUNK], len(DATA))
            self.close_connection = True

    def answer(self, status: int, body: bytes, length: int) -> None:
        self.send_response(status)
        self.send_header("Content-Type", self.kind)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler], context: ssl.SSLContext | None = None) -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def self_signed(directory: Path) -> Path:
    """A certificate for this machine; its key lies beside it."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.now(UTC)
    host = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(host, critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, secret = serialization.Encoding.PEM, serialization.NoEncryption()
    (directory / "key.pem").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, secret))
    (directory / "certificate.pem").write_bytes(certificate.public_bytes(pem))
    return directory / "certificate.pem"


def url(port: int, scheme: str = "s3+http") -> str:
    return f"{scheme}://key:s3cr3t@127.0.0.1:{port}/bucket"


async def refusal(url: str) -> Unavailable:
    with pytest.raises(Unavailable) as caught:
        async with open_blobs(url):
            pytest.fail("it opened")
    assert caught.value.hint and "s3cr3t" not in f"{caught.value!r} {caught.value.hint}"
    return caught.value


async def test_a_server_that_is_not_there() -> None:
    with socket.socket() as taken:  # bound, and not listening
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        error = await refusal(url(port))
    assert "does not answer" in error.message and str(port) in error.message and "whether it runs" in error.hint


async def test_a_server_without_tls() -> None:
    with serving(Failing) as port:
        error = await refusal(url(port, "s3"))
    assert "does not answer" in error.message and "s3+http://" in error.hint


@pytest.mark.parametrize(
    ("status", "kind", "body"),
    [
        (200, "text/html", b"<p>hello"),
        (200, "text/html", b"<html></html>"),
        (403, "text/html", b"no"),
        (404, "application/xml", b"not XML"),
    ],
)
async def test_a_server_that_does_not_talk_s3(status: int, kind: str, body: bytes) -> None:
    handler = type("Other", (Failing,), {"status": status, "kind": kind, "body": body})
    with serving(handler) as port:
        error = await refusal(url(port))
    assert "does not talk S3" in error.message and "S3 interface" in error.hint


async def test_a_certificate_must_be_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That of a private authority becomes so by ``SSL_CERT_FILE``, as the hint says."""
    certificate = self_signed(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, tmp_path / "key.pem")
    with serving(Failing, context) as port:
        error = await refusal(url(port, "s3"))
        assert "does not answer" in error.message and "SSL_CERT_FILE" in error.hint
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        async with open_blobs(url(port, "s3")) as blobs:
            await blobs.ping()


async def test_a_server_that_is_overloaded() -> None:
    """It is asked a few times, not for ever."""
    with serving(type("Busy", (Failing,), {"status": 503, "body": b"busy"})) as port:
        error = await refusal(url(port))
    assert "does not answer" in error.message


async def test_a_refusal_that_we_do_not_know() -> None:
    """Comes with its code."""
    body = b"<Error><Code>NotOnSundays</Code><Message>Come back tomorrow</Message></Error>"
    with serving(type("Odd", (Failing,), {"status": 400, "body": body})) as port:
        error = await refusal(url(port))
    assert "NotOnSundays: Come back tomorrow" in error.message


async def test_a_blob_that_stops_in_the_middle_is_not_damaged() -> None:
    """It is unavailable: the next reading may succeed. What came is right, and no end was shown."""
    seen = b""
    with serving(Failing) as port:
        async with open_blobs(url(port)) as blobs:
            with pytest.raises(Unavailable):
                async with blobs.open(TENANT, ID) as chunks:
                    async for chunk in chunks:
                        seen += chunk
    assert len(seen) < len(DATA) and DATA.startswith(seen)


async def test_a_temporary_directory_that_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """Is named, for it is this machine's and not the store's."""

    async def stream() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x" * 1024 * 1024

    monkeypatch.setattr("tempfile.tempdir", "/dev/null/nowhere")
    with serving(Failing) as port:
        async with open_blobs(url(port)) as blobs:
            with pytest.raises(Unavailable, match="temporary file") as caught:
                await blobs.put(TENANT, stream())
    assert "temporary files" in caught.value.hint
