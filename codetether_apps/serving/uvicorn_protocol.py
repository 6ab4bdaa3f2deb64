"""Uvicorn's protocol with an end to how long the head of a request may be, and take."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from codetether_apps.serving.bounds import Bounds

__all__ = ["bounded"]

_TOO_LONG = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


def bounded(bounds: Bounds) -> type[asyncio.Protocol]:
    """The protocol under these bounds."""

    class Bounded(HttpToolsProtocol):
        """``_late`` fires where the next request is not there in time; ``_head`` counts what there is of it."""

        _late: asyncio.TimerHandle | None = None
        _head: int | None = 0
        _answering = False

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._wait()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop_waiting()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            if self._head is not None:
                self._head += len(data)
            super().data_received(data)
            if self._head is not None and self._head > bounds.head and not self.transport.is_closing():
                if not self._answering:
                    self.transport.write(_TOO_LONG)
                self.transport.close()

        def on_headers_complete(self) -> None:
            """``ValueError``, which is answered 400, for a target that names another server or a part of a page: only
            its path would reach the application.
            """
            self._head = None
            if not self.url.startswith((b"/", b"*")) or b"#" in self.url:
                raise ValueError("no path")
            self._stop_waiting()
            self._answering = True
            super().on_headers_complete()

        def on_message_complete(self) -> None:
            self._head = 0
            super().on_message_complete()

        def on_response_complete(self) -> None:
            self._answering = bool(self.pipeline)
            super().on_response_complete()
            if not self._answering and not self.transport.is_closing():
                self._wait()

        def _wait(self) -> None:
            self._stop_waiting()
            self._late = self.loop.call_later(bounds.idle.total_seconds(), self.timeout_keep_alive_handler)

        def _stop_waiting(self) -> None:
            if self._late is not None:
                self._late.cancel()

    return Bounded
