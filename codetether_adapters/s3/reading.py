"""A blob that is being read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Lock

from urllib3 import BaseHTTPResponse

from codetether_core.artifacts import CHUNK

__all__ = ["Reading"]


class Reading:
    """Chunks of a response. Calls block; one may be under way when its caller was cancelled and closes, hence the lock.

    A response that was read to its end has given its connection back already; closing any other drops it.
    """

    def __init__(self, ask: Callable[[], BaseHTTPResponse | None]) -> None:
        self._ask = ask
        self._lock = Lock()
        self._response: BaseHTTPResponse | None = None
        self._closed = False

    def open(self) -> None:
        """Ask for the bytes."""
        with self._lock:
            if not self._closed:
                self._response = self._ask()

    def __iter__(self) -> Iterator[bytes]:
        """What is left, in chunks."""
        return iter(self._read, b"")

    def close(self) -> None:
        """Let go of the response and its connection."""
        with self._lock:
            self._closed = True
            if self._response is not None:
                self._response.close()
                self._response.release_conn()

    def _read(self) -> bytes:
        with self._lock:
            if self._response is None or self._closed:
                return b""
            return self._response.read(CHUNK, decode_content=False)
