"""HTTP by hand: bytes to a server, and what its bytes say."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from typing import Any, Final

from attrs import frozen

from tests.http.server import TOKEN, Server

__all__ = ["AUTHORIZATION", "HOST", "PATIENCE", "Answer", "answers_in", "connect", "exchange", "heard", "problem_of"]

PATIENCE: Final = 30.0
HOST: Final = b"Host: localhost\r\n"
AUTHORIZATION: Final = f"Authorization: Bearer {TOKEN}\r\n".encode()


@frozen
class Answer:
    """One answer, with its headers by lower-case name."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def connect(server: Server) -> socket.socket:
    """A new connection."""
    return socket.create_connection(("127.0.0.1", server.port), PATIENCE)


def exchange(server: Server, *parts: bytes) -> list[Answer]:
    """All that is answered until the server closes the connection, as it has to."""
    with connect(server) as peer:
        try:
            for part in parts:
                peer.sendall(part)
        except OSError:  # refused before all of it was sent
            pass
        return answers_in(heard(peer))


def heard(peer: socket.socket) -> bytes:
    """What comes until the server closes."""
    found = b""
    try:
        while chunk := peer.recv(65536):
            found += chunk
    except ConnectionResetError:  # closed while something was still on its way to it
        pass
    return found


def answers_in(raw: bytes) -> list[Answer]:
    """The answers that these bytes are; nothing may be left over. Those that go before another (1xx) are none."""
    found = []
    while raw:
        head, end, raw = raw.partition(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")
        assert end and first.startswith(b"HTTP/1.1 "), head
        status = int(first[9:12])
        headers = {name.lower(): value for name, value in (line.decode().split(": ", 1) for line in lines)}
        if status < 200:
            continue
        if headers.get("transfer-encoding") == "chunked":
            body, raw = _chunks(raw)
        else:
            length = int(headers["content-length"])
            assert len(raw) >= length, raw
            body, raw = raw[:length], raw[length:]
        found.append(Answer(status, headers, body))
    return found


def problem_of(answer: Answer) -> Any:
    """The members of a problem."""
    assert answer.headers["content-type"] == "application/problem+json", answer
    return json.loads(answer.body)


def _chunks(raw: bytes) -> tuple[bytes, bytes]:
    body = b""
    while True:
        size, _, raw = raw.partition(b"\r\n")
        length = int(size, 16)
        body, end, raw = body + raw[:length], raw[length : length + 2], raw[length + 2 :]
        assert end == b"\r\n"
        if not length:
            return body, raw
