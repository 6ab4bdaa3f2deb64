"""Hypercorn's protocols, without what we do not speak, and with an end to what clients may do to us.

Hypercorn has no setting for any of this. It looks its classes up where ``install`` puts ours.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Any, ClassVar, Final

import h11
import hypercorn.asyncio.run
import hypercorn.protocol
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import DataReceived, Event, PriorityUpdated, RequestReceived
from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.events import RawData
from hypercorn.protocol.events import Body, EndBody
from hypercorn.protocol.events import Event as StreamEvent
from hypercorn.protocol.h2 import H2Protocol
from hypercorn.protocol.h11 import H11Protocol

from codetether_apps.serving.bounds import Bounds

__all__ = ["install"]

_SPOKEN: Final = b"PRI"
"""How a client begins that speaks HTTP/2 without being asked."""


_LENGTH: Final = b"content-length"


class PlainHttp1(H11Protocol):
    """Answers as if nobody had asked for another protocol (RFC 9110, section 7.8).

    A proxy that hands an upgrade to HTTP/2 on would hand on all that comes then, unseen: forged headers too, which we
    would believe for being its own. WebSockets we have none, and a refused one would stay connected.
    """

    _head: bytes = b""

    async def _send_h11_event(self, event: Any) -> None:
        """A head that announces a body is sent with its first piece: sending costs most."""
        try:
            data = self.connection.send(event)
        except h11.LocalProtocolError:
            if self.connection.their_state != h11.ERROR:
                raise
            return
        if isinstance(event, h11.Response) and _LENGTH in dict(event.headers):
            self._head = data
        elif data := self._head + (data or b""):
            self._head = b""
            await self.send(RawData(data=data))

    async def _check_protocol(self, event: h11.Request) -> None:
        if event.method == _SPOKEN:
            await super()._check_protocol(event)

    async def _create_stream(self, request: h11.Request) -> None:
        headers = [(name, value) for name, value in request.headers.raw_items() if name.lower() != b"upgrade"]
        if len(headers) != len(request.headers):
            request = h11.Request(
                method=request.method, target=request.target, headers=headers, http_version=request.http_version
            )
        await super()._create_stream(request)


class PlainHttp2(H2Protocol):
    """Outlives streams that are over on our side alone, has no tunnels, and waits for no reader without end."""

    connection: H2Connection
    stall: ClassVar[timedelta]

    async def stream_send(self, event: StreamEvent) -> None:
        """``ConnectionError`` where the client leaves what was sent before unread."""
        if not isinstance(event, Body | EndBody):
            await super().stream_send(event)
            return
        try:
            async with asyncio.timeout(self.stall.total_seconds()):
                await super().stream_send(event)
        except TimeoutError:
            if event.stream_id in self.stream_buffers:
                self.connection.reset_stream(event.stream_id, ErrorCodes.CANCEL)
                await self._flush()
            raise ConnectionError("the client does not read") from None

    async def _handle_events(self, events: list[Event]) -> None:
        """One by one: each may end the stream that the next one is about."""
        for event in events:
            if isinstance(event, DataReceived) and event.stream_id not in self.streams:
                self.connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, RequestReceived) and (b":method", b"CONNECT") in event.headers:
                self.connection.reset_stream(event.stream_id, ErrorCodes.REFUSED_STREAM)
            else:
                await super()._handle_events([event])
        await self._flush()

    async def _priority_updated(self, event: PriorityUpdated) -> None:
        """It counts for nothing (RFC 9113, section 5.3.2), and fills no tree."""


class Closing(TCPServer):
    """Takes it for an end of the connection that the system has given it up."""

    async def _close(self) -> None:
        with suppress(OSError):
            await super()._close()


def install(bounds: Bounds) -> None:
    """Have hypercorn use these in this process."""
    PlainHttp2.stall = bounds.stall
    hypercorn.asyncio.run.TCPServer = Closing  # type: ignore[attr-defined]
    hypercorn.protocol.H11Protocol = PlainHttp1  # type: ignore[attr-defined]
    hypercorn.protocol.H2Protocol = PlainHttp2  # type: ignore[attr-defined]
