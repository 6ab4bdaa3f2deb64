"""A line between two programs that can be cut: nothing arrives any more, and nobody is told."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

__all__ = ["Line", "line_to"]


class Line:
    """Forwards connections to a port. While ``cut`` is set it stays silent in both directions, as a lost route does."""

    def __init__(self, port: int) -> None:
        self.cut = threading.Event()
        self._port = port
        self._gate = socket.create_server(("127.0.0.1", 0))
        self._ended = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """Where the near end is."""
        return f"http://127.0.0.1:{self._gate.getsockname()[1]}"

    def close(self) -> None:
        """Hang up."""
        self._ended.set()
        self._gate.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._gate.accept()
                threading.Thread(target=self._forward, args=(near,), daemon=True).start()

    def _forward(self, near: socket.socket) -> None:
        try:
            far = socket.create_connection(("127.0.0.1", self._port))
        except OSError:
            near.close()
            return
        with near, far, suppress(OSError):
            ends = {near: far, far: near}
            while not self._ended.is_set():
                for end in select.select([*ends], [], [], 0.05)[0] if not self.cut.wait(0.0) else ():
                    data = end.recv(65536)
                    if not data:
                        return
                    ends[end].sendall(data)
                if self.cut.is_set():
                    self._ended.wait(0.05)


@contextmanager
def line_to(port: int) -> Iterator[Line]:
    """A line to a port of this machine."""
    line = Line(port)
    try:
        yield line
    finally:
        line.close()
