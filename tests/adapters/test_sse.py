"""The SSE codec against WHATWG HTML, section 9.2: its examples, a literal reading of it, and bad peers."""

import json
import re
import tracemalloc
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from codetether_adapters import sse
from codetether_adapters.sse import Decoder, EventTooLarge, ServerSentEvent, comment, encode, json_frame

Event = ServerSentEvent
LINE_ENDS = {"LF": b"\n", "CR": b"\r", "CRLF": b"\r\n"}

# ------------------------------------------------------------------ a literal, slow reading of the standard


def by_the_book(stream: bytes) -> tuple[list[Event], str, int | None]:
    """Section 9.2.6 word by word on the whole stream: events, last event ID string, reconnection time."""
    text = stream.decode("utf-8", "replace").removeprefix("\ufeff")
    events: list[Event] = []
    data = event_type = id_buffer = last_event_id = ""
    retry = None
    *lines, _unfinished = re.split("\r\n|\r|\n", text)
    for line in lines:
        if line == "":
            last_event_id = id_buffer
            if data != "":
                events.append(Event(data.removesuffix("\n"), event_type or "message", last_event_id))
            data = event_type = ""
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            event_type = value
        elif name == "data":
            data += value + "\n"
        elif name == "id" and "\0" not in value:
            id_buffer = value
        elif name == "retry" and re.fullmatch("[0-9]{1,18}", value):
            retry = int(value)
    return events, last_event_id, retry


def feed_all(decoder: Decoder, pieces: Iterable[bytes]) -> list[Event]:
    return [event for piece in pieces for event in decoder.feed(piece)]


def one_by_one(stream: bytes) -> list[bytes]:
    return [stream[i : i + 1] for i in range(len(stream))]


def cut(stream: bytes, places: Iterable[int]) -> list[bytes]:
    bounds = [0, *sorted(min(place, len(stream)) for place in places), len(stream)]
    return [stream[a:b] for a, b in pairwise(bounds)]


cuts = st.lists(st.integers(0, 400), max_size=12)  # equal places give empty chunks
texts = st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from("\r\n\0: \ufeff🦊")), max_size=80)
names = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\0"), max_size=20)
soups = st.lists(
    st.one_of(
        st.sampled_from([b"data", b"event", b"id", b"retry", b"data: ", b"id: 7", b"retry:15", b":", b" "]),
        st.sampled_from([b"\n", b"\r", b"\r\n", b"\n\n", b"\0", b"\xef\xbb\xbf", "🦊".encode(), b"\xf0\x9f"]),
        st.binary(max_size=3),
    ),
    max_size=40,
).map(b"".join)

# ----------------------------------------------------------------------------------- the standard's examples

EXAMPLES = {
    "9.2.1 three messages": (
        b"data: This is the first message.\n\n"
        b"data: This is the second message, it\ndata: has two lines.\n\n"
        b"data: This is the third message.\n\n",
        [
            Event("This is the first message."),
            Event("This is the second message, it\nhas two lines."),
            Event("This is the third message."),
        ],
        "",
    ),
    "9.2.1 two event types": (
        b"event: add\ndata: 73857293\n\nevent: remove\ndata: 2153\n\nevent: add\ndata: 113411\n\n",
        [Event("73857293", "add"), Event("2153", "remove"), Event("113411", "add")],
        "",
    ),
    "9.2.6 one event of three lines": (b"data: YHOO\ndata: +2\ndata: 10\n\n", [Event("YHOO\n+2\n10")], ""),
    "9.2.6 four blocks": (
        b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
        [Event("first event", id="1"), Event("second event"), Event(" third event")],
        "",
    ),
    "9.2.6 four blocks, cut between the second and the third": (
        b": test stream\n\ndata: first event\nid: 1\n\n",
        [Event("first event", id="1")],
        "1",
    ),
    "9.2.6 four blocks, without the last blank line": (
        b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n",
        [Event("first event", id="1"), Event("second event")],
        "",
    ),
    "9.2.6 empty data, a single newline, a discarded block": (
        b"data\n\ndata\ndata\n\ndata:",
        [Event(""), Event("\n")],
        "",
    ),
    "9.2.6 the same discarded block followed by a blank line": (
        b"data\n\ndata\ndata\n\ndata:\n\n",
        [Event(""), Event("\n"), Event("")],
        "",
    ),
    "9.2.6 two identical events": (b"data:test\n\ndata: test\n\n", [Event("test"), Event("test")], ""),
}


@pytest.mark.parametrize("line_end", LINE_ENDS.values(), ids=LINE_ENDS.keys())
@pytest.mark.parametrize(("stream", "events", "last_event_id"), EXAMPLES.values(), ids=EXAMPLES.keys())
def test_the_examples_of_the_standard(stream: bytes, events: list[Event], last_event_id: str, line_end: bytes) -> None:
    """Each example holds with each of the three line ends, whole and one byte at a time (9.2.5)."""
    stream = stream.replace(b"\n", line_end)
    for pieces in ([stream], one_by_one(stream)):
        decoder = Decoder()
        assert feed_all(decoder, pieces) == events
        assert decoder.last_event_id == last_event_id


# --------------------------------------------------------------------------------------------- properties


@given(soups, cuts)
@example(b"\xef\xbb\xbfdata: a\r\n\r\n", [1, 2, 3, 11, 13])
@example(b"data: \xf0\x9f\n\r\n\xa6\n\n", [7])
def test_any_bytes_cut_anywhere_read_as_the_standard_says(stream: bytes, places: list[int]) -> None:
    """The decoder agrees with the literal reading on every stream, however the network cuts it."""
    decoder = Decoder()
    events = feed_all(decoder, cut(stream, places))
    assert (events, decoder.last_event_id, decoder.retry) == by_the_book(stream)


@given(st.lists(st.tuples(texts, names, st.none() | names, st.none() | st.integers(0, 10**18 - 1))), cuts)
def test_what_is_encoded_is_decoded(frames: list[tuple[str, str, str | None, int | None]], places: list[int]) -> None:
    """One frame is one event, whatever its text says: nothing in a value can end a field or an event."""
    stream, expected, last_event_id, last_retry = b"", [], "", None
    for data, event, id, retry in frames:
        stream += encode(data.encode(), event=event, id=id, retry=retry) + comment(data)
        last_event_id = last_event_id if id is None else id
        last_retry = last_retry if retry is None else retry
        expected.append(Event(re.sub("\r\n|\r", "\n", data), event or "message", last_event_id))
    decoder = Decoder()
    assert feed_all(decoder, cut(stream, places)) == expected
    assert (decoder.last_event_id, decoder.retry) == (last_event_id, last_retry)


@given(soups, cuts, st.integers(1, 40))
def test_the_limit_does_not_depend_on_the_cuts(stream: bytes, places: list[int], limit: int) -> None:
    """The same events are returned, and then the same refusal comes or does not."""
    assert until_refused(Decoder(limit), cut(stream, places)) == until_refused(Decoder(limit), [stream])


def until_refused(decoder: Decoder, pieces: Iterable[bytes]) -> tuple[list[Event], bool]:
    events: list[Event] = []
    try:
        for piece in [*pieces, b""]:
            events += decoder.feed(piece)
    except EventTooLarge:
        return events, True
    return events, False


# ----------------------------------------------------------------------------------------------- encoding


def test_a_frame_on_the_wire() -> None:
    """Golden bytes: readers less exact than ours (deployed workers) count on this shape."""
    assert encode(b'{"n":1}') == b'data: {"n":1}\n\n'
    assert encode(b"x", event="output", id="e.7", retry=0) == b"event: output\nid: e.7\nretry: 0\ndata: x\n\n"
    assert encode(b"") == b"data: \n\n"
    assert encode(b"a\r\nb\rc\nd\n") == b"data: a\ndata: b\ndata: c\ndata: d\ndata: \n\n"
    assert encode(b"", id="") == b"id: \ndata: \n\n"
    assert comment() == b": \n\n"
    assert comment("keep-alive") == b": keep-alive\n\n"


@given(st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from("\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"))))
@example("a\x85b\u2028c\u2029d\x0be\x0cf\x1cg\x1dh\x1ei")
def test_json_is_one_line_to_readers_that_end_lines_where_unicode_does(text: str) -> None:
    """And the same value to all: the frame's only lines are its id, its data, and the blank one at its end."""
    frame = json_frame(json.dumps({text: text}, ensure_ascii=False).encode(), id="e.7")
    id, data, blank = frame.decode().splitlines()
    assert (id, blank) == ("id: e.7", "")
    assert json.loads(data.removeprefix("data: ")) == {text: text}


@pytest.mark.parametrize("bad", ["a\nb", "a\rb", "a\r\nb", "a\0b", "\n", "1\n\ndata: forged", "\ud800"])
@pytest.mark.parametrize("place", ["event", "id"])
def test_an_event_type_or_id_that_would_break_its_line_is_refused(place: str, bad: str) -> None:
    """Names come from outside; a newline in one would let its owner write events of his own."""
    with pytest.raises(ValueError, match=f"{place} must not hold|surrogates not allowed"):
        encode(b"x", event=bad if place == "event" else None, id=bad if place == "id" else None)


@pytest.mark.parametrize("bad", [-1, 10**18])
def test_a_retry_no_reader_would_take_is_refused(bad: int) -> None:
    with pytest.raises(ValueError, match="retry must be"):
        encode(b"x", retry=bad)


@pytest.mark.parametrize("text", ["a\n\ndata: forged\n\n", "a\r\rdata: forged\r\r", "a\r\n\r\ndata: x\r\n\r\n"])
def test_a_comment_cannot_forge_an_event(text: str) -> None:
    assert Decoder().feed(comment(text)) == []


# ----------------------------------------------------------------------------------------------- decoding


def test_an_event_is_returned_by_the_chunk_that_completes_it() -> None:
    """A CR that ends a chunk ends its line at once: live streams wait for nobody."""
    decoder = Decoder()
    assert decoder.feed(b"data: a\r\n\r") == [Event("a")]
    assert decoder.feed(b"\ndata: b\r") == []
    assert decoder.feed(b"\r") == [Event("b")]
    assert decoder.feed(b"data: c\n\ndata: d\n\ndata: e") == [Event("c"), Event("d")]


def test_an_lf_belongs_to_the_cr_before_it_and_to_no_other() -> None:
    """A CRLF cut in two, even by an empty chunk, is one line end; the next LF is a line end of its own."""
    decoder = Decoder()
    assert feed_all(decoder, [b"data: a\r", b"", b"\n"]) == []
    assert feed_all(decoder, [b"data: b", b"\n"]) == []
    assert decoder.feed(b"\n") == [Event("a\nb")]


def test_an_id_lasts_until_the_next_and_counts_from_its_blank_line_on() -> None:
    """A connection lost halfway through an event must ask for that event again (promise 4)."""
    decoder = Decoder()
    assert decoder.feed(b"id: 1\ndata: a\n\ndata: b\n\n") == [Event("a", id="1"), Event("b", id="1")]
    assert decoder.feed(b"id: 2\ndata: c\n") == []
    assert decoder.last_event_id == "1"
    assert decoder.feed(b"\n") == [Event("c", id="2")]
    assert decoder.feed(b"id: 3\n\n") == []
    assert decoder.last_event_id == "3"
    assert decoder.feed(b"id: 4\0\ndata: d\n\n") == [Event("d", id="3")]
    assert decoder.feed(b"id\ndata: e\n\n") == [Event("e")]
    assert decoder.last_event_id == ""


def test_the_next_connection_goes_on_from_the_last_event_id() -> None:
    decoder = Decoder(last_event_id="e.7")
    assert decoder.last_event_id == "e.7"
    assert decoder.feed(b"data: a\n\nid: e.8\ndata: b\n\n") == [Event("a", id="e.7"), Event("b", id="e.8")]
    assert decoder.last_event_id == "e.8"


def test_an_event_without_data_is_not_dispatched_and_its_type_is_forgotten() -> None:
    assert Decoder().feed(b"event: ghost\n\ndata: a\n\n") == [Event("a")]


@pytest.mark.parametrize(
    ("line", "retry"),
    [
        (b"retry: 3000", 3000),
        (b"retry:03000", 3000),
        (b"retry: 0", 0),
        (b"retry: 999999999999999999", 10**18 - 1),
        (b"retry: 1000000000000000000", None),
        (b"retry: " + b"9" * 10_000, None),  # int() itself raises above 4300 digits
        (b"retry", None),
        (b"retry: ", None),
        (b"retry:  5", None),
        (b"retry: 5 ", None),
        (b"retry: -5", None),
        (b"retry: +5", None),
        (b"retry: 5.0", None),
        (b"retry: 5_000", None),
        (b"retry: 0x5", None),
        ("retry: \u0665".encode(), None),  # a digit, but not an ASCII one
        (b"Retry: 5", None),
    ],
)
def test_retry_is_ascii_digits_only(line: bytes, retry: int | None) -> None:
    decoder = Decoder()
    assert decoder.feed(line + b"\n") == []
    assert decoder.retry == retry


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"\xef\xbb\xbfdata: a\n\n", [Event("a")]),
        (b"\xef\xbb\xbf\xef\xbb\xbfdata: a\n\n", []),  # one is stripped, the other belongs to the name
        (b"\n\xef\xbb\xbfdata: a\n\n", []),
        (b"data: \xef\xbb\xbfa\n\n", [Event("\ufeffa")]),
        (b"\xef\xbb\xbf\ndata: a\n\n", [Event("a")]),
        (b"\xef\xbbdata: a\n\ndata: b\n\n", [Event("b")]),
    ],
)
def test_one_byte_order_mark_at_the_very_start_is_stripped(stream: bytes, events: list[Event]) -> None:
    assert Decoder().feed(stream) == feed_all(Decoder(), one_by_one(stream)) == events


@pytest.mark.parametrize(
    "line",
    [b"dat: x", b"data : x", b" data: x", b"DATA: x", b"data2: x", b":data: x", b"\0data: x", b"{}"],
)
def test_an_unknown_field_is_ignored(line: bytes) -> None:
    assert Decoder().feed(line + b"\n\ndata: a\n\n") == [Event("a")]


def test_bad_utf8_becomes_replacement_characters_in_every_field() -> None:
    """Nobody can stop a stream with a broken byte; and a sequence does not swallow the line end after it."""
    stream = b"event: \xff\nid: \xc3\ndata: \xf0\x9f\xa6\ndata: \xed\xa0\x80\0\n\n"
    assert feed_all(Decoder(), one_by_one(stream)) == [
        Event("\ufffd\n\ufffd\ufffd\ufffd\0", "\ufffd", "\ufffd"),
    ]


# --------------------------------------------------------------------------------------- limit and cost


@pytest.mark.parametrize("size", [99, 100, 101])
@pytest.mark.parametrize(
    ("opening", "counted"),
    [
        (b"", 0),
        (b"data: a\n", 7),
        (b"event: x\nid: 1\njunk\n", 17),
        (b": note\n", 0),
        (b"data: before\n\n", 0),
    ],
)
def test_an_event_may_be_as_large_as_the_limit_and_no_larger(opening: bytes, counted: int, size: int) -> None:
    """Every line of the event counts, without its end; comments and earlier events do not."""
    stream = opening + b"data: ".ljust(size - counted, b"x") + b"\r\n\r\n"
    for pieces in ([stream], [stream[:-4], stream[-4:]], one_by_one(stream)):
        events, refused = until_refused(Decoder(limit=100), pieces)
        assert refused == (size > 100)
        assert len(events) == (b"before" in opening) + (size <= 100)


def test_events_before_one_too_large_are_not_lost() -> None:
    """They are returned, so that `last_event_id` never stands past an event that nobody got."""
    decoder = Decoder(limit=20)
    assert decoder.feed(b"id: 1\ndata: a\n\nid: 2\ndata: " + b"x" * 30) == [Event("a", id="1")]
    assert decoder.last_event_id == "1"
    for chunk in (b"", b"\n\n", b"data: b\n\n"):
        with pytest.raises(EventTooLarge, match="more than 20 bytes") as caught:
            decoder.feed(chunk)
        assert caught.value.limit == 20


@pytest.mark.parametrize("line", [b"data\n", b"event: x\n", b"id: 1\n", b"retry: 1\n", b"junk\n", b"x"])
def test_an_event_that_never_ends_is_refused(line: bytes) -> None:
    decoder = Decoder(limit=1000)
    with pytest.raises(EventTooLarge):
        feed_all(decoder, (line for _ in range(1001)))


@pytest.mark.parametrize("line", [b":\n", b": keep-alive\n", b"\n", b"\r\n", b"event: x\n\n"])
def test_a_quiet_stream_may_last_for_ever(line: bytes) -> None:
    """Keep-alives need no blank line after them, and many hours of them are not one large event."""
    decoder = Decoder(limit=20)
    assert feed_all(decoder, (line for _ in range(1000))) == []
    assert decoder.feed(b"data: a\n\n") == [Event("a")]


def allocated(decoder: Decoder, pieces: Iterable[bytes]) -> tuple[int, int]:
    """Feed `pieces`; return the bytes allocated in all calls together, and those held after the last."""
    total = 0
    tracemalloc.start()
    try:
        start, _ = tracemalloc.get_traced_memory()
        for piece in pieces:
            before, _ = tracemalloc.get_traced_memory()
            tracemalloc.reset_peak()
            decoder.feed(piece)
            total += tracemalloc.get_traced_memory()[1] - before
        return total, tracemalloc.get_traced_memory()[0] - start
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("lines", [1, 20_000])
def test_ten_megabytes_in_small_pieces_are_copied_a_few_times_not_thousands(lines: int) -> None:
    """Work is counted in bytes allocated: about 50 MB here, 50 GB if each piece copied what came before."""
    size = 10_000_000
    line = b"data: " + b"x" * (size // lines - 7) + b"\n"
    stream = memoryview(line * lines + b"\n")
    pieces = [bytes(stream[i : i + 1000]) for i in range(0, len(stream), 1000)]
    decoder = Decoder()
    total, held = allocated(decoder, pieces)
    assert total < 8 * size
    assert held < 10_000


def test_an_unfinished_event_holds_no_more_than_its_bytes() -> None:
    """A line that comes in crumbs is held as one buffer, not as a list of small objects of 35 bytes each."""
    decoder = Decoder()
    _, held = allocated(decoder, [b"data: ", *(b"xy" for _ in range(50_000))])
    assert held < 100_000 * 1.25 + 10_000


# ------------------------------------------------------------------------------------------- the module


def test_the_exports_are_sorted_and_complete() -> None:
    own = {name for name, value in vars(sse).items() if getattr(value, "__module__", None) == sse.__name__}
    assert sse.__all__ == sorted(sse.__all__)
    assert set(sse.__all__) == {name for name in own if not name.startswith("_")} | {"DEFAULT_LIMIT"}
    assert Decoder().limit == sse.DEFAULT_LIMIT == 16 * 1024 * 1024


def test_an_event_is_a_frozen_value_without_a_dict() -> None:
    event = Event("a")
    assert event == Event("a", "message", "")
    assert not hasattr(event, "__dict__")
    with pytest.raises(AttributeError):
        event.data = "b"  # type: ignore[misc]
