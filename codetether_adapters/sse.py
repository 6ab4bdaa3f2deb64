"""Server-Sent Events: bytes to events and back, without I/O.

Source: WHATWG HTML Living Standard, section 9.2 "Server-sent events": 9.2.5 is the grammar, 9.2.6 what a
reader makes of it (https://html.spec.whatwg.org/multipage/server-sent-events.html). The names are its own.

A frame is made once, by `encode`, `json_frame` or `comment`, and the same bytes go to every subscriber. A `Decoder`
serves one connection: it takes the bytes as they come, cut anywhere, and gives the events they complete.
It drops comments: whoever feeds it has seen a chunk arrive, which is sign of life enough.

The decoder works on bytes: CR, LF and the colon never occur inside a longer UTF-8 sequence, valid or not,
so cutting first and decoding each value later gives what the standard gets by decoding first.
"""

import re

from attrs import Factory, define, field, frozen

__all__ = ["DEFAULT_LIMIT", "Decoder", "EventTooLarge", "ServerSentEvent", "comment", "encode", "json_frame"]

DEFAULT_LIMIT = 16 * 1024 * 1024
"""The largest event that a `Decoder` takes unless told otherwise, in bytes (16 MiB)."""

_BOM = b"\xef\xbb\xbf"
_RETRY_DIGITS = 18  # fits 64 bits; `int` refuses thousands of digits, and no timer takes as many
_UNFIT = re.compile("[\0\n\r]")
_TAKEN_FOR_LINE_ENDS = {char.encode(): b"\\u%04x" % ord(char) for char in "\x85\u2028\u2029"}


class EventTooLarge(ValueError):
    """The peer sent an event of more than `limit` bytes: close the connection."""

    def __init__(self, limit: int) -> None:
        super().__init__(f"server-sent event of more than {limit} bytes")
        self.limit = limit


@frozen
class ServerSentEvent:
    """One dispatched event.

    `data` is its data lines with LF between them, `event` its type, and `id` the stream's last event ID
    at this point: its own, else that of the nearest event before it that had one.
    """

    data: str
    event: str = "message"
    id: str = ""


def encode(data: bytes, *, event: str | None = None, id: str | None = None, retry: int | None = None) -> bytes:
    """Return the frame of one event, its closing blank line included.

    `data` is UTF-8, taken on trust; readers get each CRLF, CR and LF in it back as LF. `event` is the type
    (None: "message"), `id` the new last event ID ("" unsets it, None keeps it), `retry` the reconnection
    time in milliseconds. Raises ValueError if `event` or `id` holds CR, LF, NUL or a lone surrogate, or if
    `retry` is negative or has more than 18 digits.
    """
    fields = []
    if event is not None:
        fields.append(_field("event", event))
    if id is not None:
        fields.append(_field("id", id))
    if retry is not None:
        if not 0 <= retry < 10**_RETRY_DIGITS:
            raise ValueError(f"retry must be 0 or more milliseconds, of at most {_RETRY_DIGITS} digits")
        fields.append(b"retry: %d\n" % retry)
    if b"\n" in data or b"\r" in data:
        data = _with_lf(data).replace(b"\n", b"\ndata: ")
    return b"".join((*fields, b"data: ", data, b"\n\n"))


def json_frame(json: bytes, *, event: str | None = None, id: str | None = None) -> bytes:
    """Return the frame of one event whose data is `json`, in UTF-8; `event` and `id` as `encode` has them.

    Some readers end lines wherever Unicode does (httpx's `iter_lines`, and with it the official A2A client) and
    would cut the data: what only they take for a line end is escaped. In JSON it stands in strings alone, and the
    control characters among such ends (VT, FF, FS, GS, RS) are escaped there already.
    """
    if not json.isascii():
        for raw, escaped in _TAKEN_FOR_LINE_ENDS.items():
            json = json.replace(raw, escaped)
    return encode(json, event=event, id=id)


def comment(text: str = "") -> bytes:
    """Return a frame that readers ignore, for keeping alive: 9.2.7 advises one "every 15 seconds or so".

    Each line of `text` becomes a comment line. Raises ValueError if it holds a lone surrogate.
    """
    return b": %b\n\n" % _with_lf(text.encode()).replace(b"\n", b"\n: ")


def _field(name: str, value: str) -> bytes:
    if _UNFIT.search(value):
        raise ValueError(f"{name} must not hold CR, LF or NUL: {value!r:.80}")
    return f"{name}: {value}\n".encode()


def _with_lf(text: bytes) -> bytes:
    return text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


@define(eq=False)
class Decoder:
    """The reader of one event stream (9.2.6).

    An event cut off by the end of the stream is never dispatched: there, just drop the decoder.
    """

    limit: int = DEFAULT_LIMIT
    """Most bytes of one event: its lines without their ends, without comments, and the line being read."""

    last_event_id: str = ""
    """What to send as `Last-Event-ID` on reconnecting ("": no header), once all events returned are handled;
    until then go by their `id`. Give it to the decoder of the next connection too, as browsers do."""

    retry: int | None = field(default=None, init=False)
    """Reconnection time the server last asked for, in milliseconds; setting bounds is up to the caller."""

    _at_start: bool = field(init=False, default=True)  # a BOM may open the first line
    _after_cr: bool = field(init=False, default=False)  # an LF now is the rest of a CRLF
    _line: bytearray = field(init=False, factory=bytearray, repr=False)  # the one being read
    _size: int = field(init=False, default=0)  # bytes of the event's finished lines
    _data_buffer: bytearray = field(init=False, factory=bytearray, repr=False)
    _event_type_buffer: bytes = field(init=False, default=b"", repr=False)
    _last_event_id_buffer: str = field(
        init=False, default=Factory(lambda self: self.last_event_id, takes_self=True), repr=False
    )

    def feed(self, chunk: bytes) -> list[ServerSentEvent]:
        """Take the next bytes of the stream and return the events that they complete, in order.

        Raises EventTooLarge once an event passes `limit`, and on every call after. Events that the same
        chunk completed before it are not lost: they are returned, and it is the next call that raises.
        """
        events: list[ServerSentEvent] = []
        if not self._too_large:
            for line in self._finished_lines(chunk):
                self._size += len(line)
                if self._size > self.limit:
                    break
                if self._at_start:
                    line, self._at_start = line.removeprefix(_BOM), False
                if not line:
                    self._dispatch_the_event(events)
                elif line.startswith(b":"):
                    self._size -= len(line)
                else:
                    self._process_the_field(line)
        if self._too_large and not events:
            raise EventTooLarge(self.limit)
        return events

    @property
    def _too_large(self) -> bool:
        return self._size + len(self._line) > self.limit

    def _finished_lines(self, chunk: bytes) -> list[bytes]:
        """Return the lines that `chunk` finishes and keep what follows them; no byte is looked at twice."""
        if not chunk:
            return []
        text = chunk.removeprefix(b"\n") if self._after_cr else chunk
        self._after_cr = chunk.endswith(b"\r")
        lines = text.splitlines()  # bytes are split at CRLF, CR and LF only
        rest = lines.pop() if lines and not text.endswith((b"\r", b"\n")) else b""
        if lines and self._line:
            lines[0] = b"".join((self._line, lines[0]))
            self._line.clear()
        self._line += rest
        return lines

    def _process_the_field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        match name:
            case b"data":
                self._data_buffer += value
                self._data_buffer += b"\n"
            case b"event":
                self._event_type_buffer = value
            case b"id" if b"\0" not in value:
                self._last_event_id_buffer = value.decode(errors="replace")
            case b"retry" if value.isdigit() and len(value) <= _RETRY_DIGITS:
                self.retry = int(value)
            case _:
                pass  # "Otherwise: the field is ignored."

    def _dispatch_the_event(self, events: list[ServerSentEvent]) -> None:
        self.last_event_id = self._last_event_id_buffer
        if self._data_buffer:
            data = self._data_buffer[:-1].decode(errors="replace")
            event = self._event_type_buffer.decode(errors="replace") or "message"
            events.append(ServerSentEvent(data, event, self.last_event_id))
        self._data_buffer.clear()
        self._event_type_buffer = b""
        self._size = 0
