"""HTTP/2 by hand: what it forbids, what it lets clients flood a server with, and what only looks like its end.

An answer to such a stream is its reset or the connection's end, never 2xx; whatever else is open on the connection or
beside it goes on.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.settings
import pytest
from hyperframe.frame import ContinuationFrame, Frame, HeadersFrame, PingFrame, PriorityFrame, RstStreamFrame
from starlette.types import Message, Receive, Scope, Send

from codetether_apps.serving.requests import InFlight
from tests.badinput.wire import PATIENCE, connect
from tests.http.server import TOKEN, Server

pytestmark = pytest.mark.usefixtures("unharmed")

Header = tuple[bytes, bytes]
START: Final[list[Header]] = [(b":method", b"POST"), (b":scheme", b"http"), (b":path", b"/v1/agent/tasks")]
OURS: Final[list[Header]] = [(b":authority", b"localhost"), (b"authorization", f"Bearer {TOKEN}".encode())]
BODY: Final = b'{"prompt": "p"}'
_ENDS: Final = (h2.events.ResponseReceived, h2.events.StreamReset)


@pytest.fixture(scope="module", params=["hypercorn"])
def engine(request: pytest.FixtureRequest) -> str:
    """The only one that speaks it."""
    return str(request.param)


class Line:
    """A connection whose client may say anything."""

    def __init__(self, server: Server, window: int = 65535) -> None:
        config = h2.config.H2Configuration(
            header_encoding=None, validate_outbound_headers=False, normalize_outbound_headers=False
        )
        self.h2 = h2.connection.H2Connection(config)
        self.h2.initiate_connection()
        self.h2.update_settings({h2.settings.SettingCodes.INITIAL_WINDOW_SIZE: window})
        self.socket = connect(server)
        self.heard = deque[h2.events.Event]()
        self.closed = False

    def ask(self, headers: list[Header], body: bytes | None = None, *, end: bool = True) -> int:
        """Open a stream."""
        stream = self.h2.get_next_available_stream_id()
        self.h2.send_headers(stream, headers, end_stream=body is None and end)
        if body is not None:
            self.h2.send_data(stream, body, end_stream=end)
        return stream

    def send(self, *frames: Frame) -> None:
        """Say what is waiting, then these as they are."""
        self.socket.sendall(self.h2.data_to_send() + b"".join(frame.serialize() for frame in frames))

    def until(self, wanted: Callable[[h2.events.Event], bool]) -> h2.events.Event | None:
        """The next event that is wanted; ``None`` if the connection ends before."""
        self.send()
        while True:
            while self.heard:
                event = self.heard.popleft()
                if wanted(event):
                    return event
            if self.closed:
                return None
            self._hear()

    def _hear(self) -> None:
        """Take in what has come: several events may come at once, of which each is asked for by itself."""
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b""
        self.heard.extend(self.h2.receive_data(data) if data else ())
        self.closed = not data or any(isinstance(event, h2.events.ConnectionTerminated) for event in self.heard)
        if not self.closed:
            self.send()

    def answer(self, stream: int) -> int | None:
        """The status of a stream's answer; ``None`` if it was reset or the connection ended."""

        def ends(event: h2.events.Event) -> bool:
            return isinstance(event, _ENDS) and event.stream_id == stream

        event = self.until(ends)
        return int(dict(event.headers)[b":status"]) if isinstance(event, h2.events.ResponseReceived) else None


@contextmanager
def opened(server: Server, window: int = 65535) -> Iterator[Line]:
    line = Line(server, window)
    with line.socket:
        yield line


def lists(line: Line) -> bool:
    """Whether the connection is good for another request."""
    return line.answer(line.ask([(b":method", b"GET"), *START[1:], *OURS])) == 200


REFUSED: Final[dict[str, list[Header]]] = {
    "a connection's header": [*START, *OURS, (b"connection", b"close")],
    "keep-alive": [*START, *OURS, (b"keep-alive", b"timeout=5")],
    "an upgrade": [*START, *OURS, (b"upgrade", b"h2c")],
    "chunks": [*START, *OURS, (b"transfer-encoding", b"chunked")],
    "a coding of transfer": [*START, *OURS, (b"te", b"gzip")],
    "capitals": [*START, *OURS, (b"X-A", b"b")],
    "another host": [*START, *OURS, (b"host", b"elsewhere")],
    "two authorities": [*START, *OURS, (b":authority", b"elsewhere")],
    "two paths": [*START, (b":path", b"/livez"), *OURS],
    "no path": [*START[:2], *OURS],
    "an empty path": [*START[:2], (b":path", b""), *OURS],
    "no method": [*START[1:], *OURS],
    "an unknown pseudo-header": [*START, (b":status", b"200"), *OURS],
    "a pseudo-header behind others": [*OURS, *START],
    "a line feed in a value": [*START, *OURS, (b"x-a", b"b\r\nx-c: d")],
    "NUL in a value": [*START, *OURS, (b"x-a", b"b\0")],
    "a colon in a name": [*START, *OURS, (b"x-a: b", b"c")],
    "a space before a value": [*START, *OURS, (b"x-a", b" b")],
    "a longer body announced": [*START, *OURS, (b"content-length", b"99")],
    "a shorter body announced": [*START, *OURS, (b"content-length", b"3")],
    "two lengths": [*START, *OURS, (b"content-length", b"15"), (b"content-length", b"3")],
    "a negative length": [*START, *OURS, (b"content-length", b"-15")],
    "two credentials": [*START, *OURS, (b"authorization", b"Bearer another")],
    "a host that is none": [*START, (b":authority", b"a b/c"), OURS[1]],
    "a tunnel": [(b":method", b"CONNECT"), (b":authority", b"elsewhere:80"), OURS[1]],
    "a websocket": [(b":method", b"CONNECT"), (b":protocol", b"websocket"), *START[1:], *OURS],
}  # fmt: skip


def test_what_http_2_allows_is_answered(server: Server) -> None:
    with opened(server) as line:
        length = (b"content-length", b"15")
        assert (
            line.answer(line.ask([*START, *OURS, (b"host", b"localhost"), (b"te", b"trailers"), length], BODY)) == 200
        )


@pytest.mark.parametrize("name", REFUSED)
def test_what_http_2_forbids_is_not_answered(server: Server, name: str) -> None:
    with opened(server) as line:
        status = line.answer(line.ask(REFUSED[name], BODY))
        assert status in (None, 400), status


def test_a_header_list_without_end_is_refused(server: Server) -> None:
    """Continuations are counted, and their headers."""
    with opened(server) as line:
        block = b"\0\x03x-a\x7f\x80\x40" + b"b" * 8000
        frames = [ContinuationFrame(1, data=block) for _ in range(200)]
        try:
            line.send(HeadersFrame(1, data=block), *frames)
            assert line.answer(1) is None
        except ConnectionError:
            return


@pytest.mark.parametrize(
    "flood",
    [
        lambda number: PingFrame(0, opaque_data=b"%08d" % number),
        lambda number: PriorityFrame(2 * number + 101, depends_on=0, stream_weight=3),
    ],
)
def test_floods_leave_the_connection_as_it_is(server: Server, flood: Callable[[int], Frame]) -> None:
    """Priorities count for nothing, and are forgotten."""
    with opened(server) as line:
        for first in range(0, 2000, 100):
            line.send(*(flood(number) for number in range(first, first + 100)))
        assert lists(line)


def test_streams_that_are_reset_at_once_leave_the_connection_as_it_is(server: Server) -> None:
    """Their requests are waited for before others are taken on: no more than that are ever under way."""
    with opened(server) as line:
        for _ in range(10):
            for _ in range(50):
                line.h2.reset_stream(line.ask(START + OURS, BODY, end=False))
            line.send()
        stream = line.ask([(b":method", b"GET"), (b":scheme", b"http"), (b":path", b"/livez"), *OURS])
        assert line.answer(stream) in (200, 503)


async def test_a_connection_has_so_many_requests_at_once() -> None:
    """Others have theirs, and it has others once some are answered."""
    answered = asyncio.Event()

    async def waiting(scope: Scope, receive: Receive, send: Send) -> None:
        await answered.wait()
        await send({"type": "http.response.start", "status": 204, "headers": []})

    requests, statuses = InFlight(waiting, most=2), list[int]()

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    async def ask(port: int) -> None:
        await requests({"type": "http", "client": ("127.0.0.1", port)}, asyncio.Queue[Message]().get, send)

    async with asyncio.TaskGroup() as group:
        for port in (1, 1, 2):
            group.create_task(ask(port))
        await asyncio.sleep(0)
        await ask(1)
        assert statuses == [503]
        answered.set()
    await ask(1)
    assert statuses == [503, 204, 204, 204, 204]


def test_a_body_that_nobody_wants_harms_no_other_stream(server: Server) -> None:
    """A stranger is refused before it is read; what comes of it after that is thrown away."""
    with opened(server) as line:
        stream = line.ask([*START, (b":authority", b"localhost")], b"x" * 10_000, end=False)
        assert line.answer(stream) == 401
        assert line.until(lambda event: isinstance(event, h2.events.StreamEnded))
        for _ in range(5):
            line.h2.send_data(stream, b"x" * 5_000)
        assert lists(line)


def test_a_reader_that_opens_no_window_is_let_go(server: Server) -> None:
    """It reads its connection, but not what was asked for there."""
    with opened(server, window=0) as line:
        stream = line.ask([(b":method", b"GET"), *START[1:], *OURS])
        assert line.answer(stream) == 200
        event = line.until(lambda event: isinstance(event, h2.events.StreamReset))
        assert isinstance(event, h2.events.StreamReset) and event.error_code == h2.errors.ErrorCodes.CANCEL


def test_resets_of_streams_that_never_were_end_the_connection(server: Server) -> None:
    with opened(server) as line:
        line.send(RstStreamFrame(99, error_code=8))
        line.socket.settimeout(PATIENCE)
        assert line.until(lambda event: False) is None
