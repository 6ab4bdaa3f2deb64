"""A client that costs little: one keep-alive socket, requests built by hand, answers read as they are framed."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO, Final

__all__ = ["Connection"]

_EVENT: Final = b"data: "


class Connection:
    """A keep-alive connection to a server on this machine."""

    def __init__(self, port: int, token: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._answers = self._socket.makefile("rb")
        self._head = f"Host: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Status and JSON of the answer, or of the one event that it is."""
        self._ask(method, path, body, headers)
        return self._answer()

    def demand(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """The JSON of an answer that has to be a 200."""
        status, answer = self.request(method, path, body, **headers)
        if status != 200:
            raise RuntimeError(f"{method} {path}: {status} {answer}")
        return answer

    def open_stream(self, path: str, **headers: str) -> socket.socket:
        """Send a GET and hand over the raw socket; this connection is of no further use."""
        extra = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        self._socket.sendall(f"GET {path} HTTP/1.1\r\n{self._head}{extra}\r\n".encode())
        return self._socket

    @contextmanager
    def stream(self, method: str, path: str, body: Any, **headers: str) -> Iterator[BinaryIO]:
        """The lines of an answer as they come; this connection ends with it."""
        with self._socket, self._answers:
            self._ask(method, path, body, headers)
            yield self._answers

    def _ask(self, method: str, path: str, body: Any, headers: Mapping[str, str]) -> None:
        payload = b"" if body is None else json.dumps(body).encode()
        extra = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        head = f"{method} {path} HTTP/1.1\r\n{self._head}{extra}Content-Length: {len(payload)}\r\n\r\n"
        self._socket.sendall(head.encode() + payload)

    def _answer(self) -> tuple[int, Any]:
        status = int(self._answers.readline().split()[1])
        headers: dict[bytes, bytes] = {}
        while (line := self._answers.readline()) not in (b"\r\n", b""):
            name, _, value = line.partition(b":")
            headers[name.lower()] = value.strip()
        if headers.get(b"transfer-encoding") == b"chunked":
            body = b"".join(self._chunks())
        else:
            body = self._answers.read(int(headers.get(b"content-length", 0)))
        if headers.get(b"content-type", b"").startswith(b"text/event-stream"):
            (body,) = (line.removeprefix(_EVENT) for line in body.splitlines() if line.startswith(_EVENT))
        return status, json.loads(body) if body else None

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self._answers.readline(), 16):
            yield self._answers.read(size)
            self._answers.readline()
        self._answers.readline()
