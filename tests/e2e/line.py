"""A line between two programs that can be cut: nothing arrives any more, and nobody is told."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

__all__ = ["Line", "line_to"]

_TINY: Final = 4096
_SHORT_SEGMENT: Final = 536


class Line:
    """Forwards connections to ``port``, which may be set to another one for those to come.

    While ``cut`` is set it stays silent in both directions, as a lost route does. After ``limit`` bytes of answers it
    sets that by itself; a line with a limit has next to no buffers, so whoever answers cannot get far ahead of it.
    """

    def __init__(self, port: int, limit: int | None = None) -> None:
        self.port = port
        self.cut = threading.Event()
        self._left = limit
        self._narrow = limit is not None
        self._gate = socket.create_server(("127.0.0.1", 0))
        self._ended = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """Where the near end is."""
        return f"http://127.0.0.1:{self._gate.getsockname()[1]}"

    def heal(self) -> None:
        """Let everything pass from now on, what was held first."""
        self._left = None
        self.cut.clear()

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
        with near, socket.socket() as far, suppress(OSError):
            if self._narrow:
                far.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _TINY)
                far.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, _SHORT_SEGMENT)
            far.connect(("127.0.0.1", self.port))
            while not self._ended.is_set():
                if self.cut.is_set():
                    self._ended.wait(0.05)
                    continue
                for end in select.select([near, far], [], [], 0.05)[0]:
                    data = end.recv(65536)
                    if not data:
                        return
                    (far if end is near else near).sendall(data)
                    if end is far:
                        self._count(len(data))

    def _count(self, size: int) -> None:
        if self._left is not None:
            self._left -= size
            if self._left <= 0:
                self.cut.set()


@contextmanager
def line_to(port: int, limit: int | None = None) -> Iterator[Line]:
    """A line to a port of this machine."""
    line = Line(port, limit)
    try:
        yield line
    finally:
        line.close()
