"""A wire between worker and server that can be cut: every connection at once, while both go on."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress

from attrs import define, field

__all__ = ["Wire"]


@define(eq=False)
class Wire:
    """Forwards connections to a loopback port."""

    target: int
    _listener: socket.socket = field(factory=lambda: socket.create_server(("127.0.0.1", 0)))
    _ends: list[socket.socket] = field(factory=list)
    _lock: threading.Lock = field(factory=threading.Lock)

    def __attrs_post_init__(self) -> None:
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        """Where it begins."""
        port: int = self._listener.getsockname()[1]
        return port

    def cut(self) -> None:
        """Cut every connection there is; new ones go through."""
        with self._lock:
            ends, self._ends = self._ends, []
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def close(self) -> None:
        """Nothing goes through any more."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                near, _ = self._listener.accept()
                try:
                    far = socket.create_connection(("127.0.0.1", self.target))
                except OSError:
                    near.close()
                    continue
                with self._lock:
                    self._ends += near, far
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=_copy, args=(source, sink), daemon=True).start()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
