"""Bodies and queries: what is taken, and how everything else is refused by name, whatever is sent."""

import json
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import orjson
import pytest
from attrs import frozen
from hypothesis import example, given
from hypothesis import strategies as st

from codetether_adapters.http import Call, Json, Limits, Route
from codetether_adapters.http.bodies import read_json
from codetether_adapters.http.queries import read_query
from codetether_core.access import PUBLIC
from codetether_core.errors import Invalid
from codetether_core.ids import TaskId
from tests.http.harness import Peer, application, client_of


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@frozen
class Part:
    text: str


@frozen
class Note:
    title: str
    priority: int = 0
    parts: tuple[Part, ...] = ()
    metadata: dict[str, Any] | None = None


@frozen
class Settings:
    interval: int = 5


async def note(call: Call) -> Json:
    return Json(await call.body(Note))


async def settings(call: Call) -> Json:
    return Json(await call.body(Settings))


async def anything(call: Call) -> Json:
    return Json(await call.json())


async def size(call: Call) -> Json:
    return Json(len(await call.read()))


ROUTES = [
    Route("POST", "/note", note, PUBLIC),
    Route("POST", "/settings", settings, PUBLIC),
    Route("POST", "/anything", anything, PUBLIC),
    Route("POST", "/size", size, PUBLIC),
]


async def post(path: str, content: Any, **limits: Any) -> tuple[int, Any]:
    async with client_of(application(*ROUTES, limits=Limits(**limits))) as client:
        answer = await client.post(path, content=content)
        return answer.status_code, answer.json()


# --------------------------------------------------------------------------------------------------- JSON


async def test_a_body_is_read_into_its_class() -> None:
    body = b'{"title": "a", "title": "b", "priority": 3, "parts": [{"text": "x"}], "unknown": 1}'
    assert await post("/note", body) == (
        200,
        {"title": "b", "priority": 3, "parts": [{"text": "x"}], "metadata": None},
    )


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"{}", "title"),
        (b'{"title": 5}', "title"),
        (b'{"title": "a", "priority": "5"}', "priority"),
        (b'{"title": "a", "priority": 1.5}', "priority"),
        (b'{"title": "a", "parts": {}}', "parts"),
        (b'{"title": "a", "parts": [{"text": "x"}, {"text": null}]}', "parts.1.text"),
        (rb'{"title": "a\u0000b"}', "title"),
        (rb'{"title": "a", "parts": [{"text": "x"}, {"text": "\u0000"}]}', "parts.1.text"),
        (rb'{"title": "a", "metadata": {"deep": {"a\u0000": 1}}}', "metadata.deep"),
        (rb'{"title": "a", "unknown": ["\u0000"]}', "unknown.0"),
        (b'{"title": "a", "metadata": {"n": [1, 18446744073709551616]}}', "metadata.n.1"),
        (b'{"title": "a", "metadata": {"n": -9223372036854775809}}', "metadata.n"),
        (b'{"title": "a", "priority": ' + b"9" * 300 + b"}", "priority"),
    ],
)
async def test_what_is_wrong_is_refused_by_name(body: bytes, field: str) -> None:
    status, refusal = await post("/note", body)
    assert (status, refusal["code"], refusal["field"]) == (422, "invalid_request", field)
    assert refusal["detail"].startswith(f"{field}: ")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "body_missing"),
        (b"{", "json_malformed"),
        (b'{"title": "a"', "json_malformed"),
        (b'{"title": "\xff"}', "json_malformed"),
        (b'{"title": "\0"}', "json_malformed"),
        (rb'{"title": "\ud800"}', "json_malformed"),
        (b'{"title": "a", "priority": NaN}', "json_malformed"),
        (b'{"title": "a", "priority": Infinity}', "json_malformed"),
        (b'{"title": "a", "priority": 1e999}', "json_malformed"),
        (b"{'title': 'a'}", "json_malformed"),
        (b"title=a", "json_malformed"),
        (b"[" * 10_000 + b"]" * 10_000, "json_malformed"),
        (b'{"title": ' * 10_000, "json_malformed"),
        (b'{"title": "a", "metadata": ' + b'{"a":' * 100 + b"1" + b"}" * 101, "json_too_deep"),
    ],
)
async def test_what_cannot_be_read_is_refused(body: bytes, code: str) -> None:
    status, refusal = await post("/note", body)
    assert (status, refusal["code"]) == (400, code)


@pytest.mark.parametrize(
    "number", ["18446744073709551615", "-9223372036854775808", "0.12345678901234567890123", "1e300"]
)
async def test_numbers_of_64_bits_are_taken_as_they_are(number: str) -> None:
    text = f'{{"n": {number}, "text": "12345678901234567890123"}}'
    assert await post("/anything", text) == (200, json.loads(text))


@pytest.mark.parametrize("body", [b"[]", b"5", b'"title"', b"null", b"true"])
async def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    status, refusal = await post("/note", body)
    assert (status, refusal["detail"]) == (422, "the body must be a JSON object")


async def test_no_body_stands_for_an_empty_object_where_nothing_is_required() -> None:
    """Deployed workers beat their hearts with an empty body (wire, section 2.7)."""
    assert await post("/settings", b"") == (200, {"interval": 5})
    assert await post("/settings", b"{}") == (200, {"interval": 5})


async def test_an_escaped_backslash_before_u0000_is_no_nul() -> None:
    text = rb'{"title": "C:\\u0000"}'
    status, answer = await post("/note", text)
    assert (status, answer["title"]) == (200, r"C:\u0000")


def test_nesting_is_limited_to_levels_and_not_to_brackets() -> None:
    wide = orjson.dumps([[1]] * 1000)
    assert read_json(wide, 2) == orjson.loads(wide)
    with pytest.raises(Invalid, match="deeper than 1 levels"):
        read_json(wide, 1)


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
@example(b"\xef\xbb\xbf{}")
@example(b"-")
@example(b'{"title":"a","priority":99999999999999999999999999}')
@example(b'{"title":"a","metadata":5}')
async def test_garbage_is_never_our_fault(body: bytes) -> None:
    for path in ("/note", "/settings", "/anything"):
        status, _ = await post(path, body)
        assert status in (200, 400, 422)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)
NOTES = st.dictionaries(st.sampled_from(["title", "priority", "parts", "metadata", "x"]), JSON, max_size=5)


@given(JSON | NOTES | NOTES.map(lambda note: {"title": "a", **note}))
async def test_any_json_is_taken_or_refused_by_name(value: Any) -> None:
    status, answer = await post("/note", json.dumps(value))
    assert status in (200, 422) or (status, answer["code"]) == (400, "json_malformed")


# -------------------------------------------------------------------------------------------------- limits


async def test_a_body_may_be_as_large_as_the_limit_and_no_larger() -> None:
    assert await post("/size", b"x" * 100, body=100) == (200, 100)
    status, refusal = await post("/size", b"x" * 101, body=100)
    assert (status, refusal["code"], refusal["limit"]) == (413, "too_large", 100)


async def test_the_default_limit_is_four_mebibytes() -> None:
    assert await post("/size", bytes(4 * 1024 * 1024)) == (200, 4 * 1024 * 1024)
    assert (await post("/size", bytes(4 * 1024 * 1024 + 1)))[0] == 413


async def test_an_announced_size_is_refused_before_anything_is_read() -> None:
    app = application(*ROUTES, limits=Limits(body=100))
    peer = Peer(app, "/size", method="POST", headers={"Content-Length": "101"})
    await peer.end()
    assert (peer.status, peer.incoming.qsize()) == (413, 0)
    for absurd in ("9" * 5000, "-1", "many", "٥"):
        peer = Peer(app, "/size", method="POST", headers={"Content-Length": absurd})
        peer.say(b"x" * 3)
        await peer.end()
        assert (peer.status, peer.body) == (413, peer.body) if absurd[0] == "9" else (200, b"3")


async def test_an_unannounced_size_is_refused_as_soon_as_it_is_passed() -> None:
    peer = Peer(application(*ROUTES, limits=Limits(body=100)), "/size", method="POST")
    for _ in range(3):
        peer.say(b"x" * 50, more=True)
    peer.say(b"never read")
    await peer.end()
    assert (peer.status, peer.incoming.qsize()) == (413, 1)


async def test_a_body_comes_in_pieces() -> None:
    peer = Peer(application(*ROUTES), "/anything", method="POST")
    for piece in (b"[1", b"", b",2", b"]"):
        peer.say(piece, more=True)
    peer.say()
    await peer.end()
    assert (peer.status, peer.body) == (200, b"[1,2]")


async def test_a_client_that_leaves_before_its_body_is_complete_is_not_answered() -> None:
    peer = Peer(application(*ROUTES), "/anything", method="POST")
    peer.say(b"[1", more=True)
    peer.leave()
    await peer.end()
    assert peer.sent == []


# ------------------------------------------------------------------------------------------------- queries


@frozen
class Wanted:
    limit: int = 100
    text: str = ""
    flag: bool = False
    ratio: float = 1.0
    colour: Colour | None = None
    colours: tuple[Colour, ...] = ()
    numbers: frozenset[int] | None = None
    at: datetime | None = None
    task: TaskId | None = None


@frozen
class Needed:
    task: str


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("", Wanted()),
        ("unknown=1&&=5&limit=7", Wanted(limit=7)),
        ("limit=-3&limit=%2B8", Wanted(limit=8)),
        ("limit=&colour=&at=&text=", Wanted()),
        ("text=5&task=6", Wanted(text="5", task=TaskId("6"))),
        ("text=a%20b+c%26d%C3%A4", Wanted(text="a b c&dä")),
        ("flag=true", Wanted(flag=True)),
        ("flag", Wanted(flag=True)),
        ("flag=Off", Wanted()),
        ("flag=1&ratio=2", Wanted(flag=True, ratio=2.0)),
        ("ratio=-0.5", Wanted(ratio=-0.5)),
        ("colour=red", Wanted(colour=Colour.RED)),
        ("colours=red,blue&colours=red", Wanted(colours=(Colour.RED, Colour.BLUE, Colour.RED))),
        ("colours=", Wanted()),
        ("numbers=1,2,1", Wanted(numbers=frozenset({1, 2}))),
        ("at=2026-11-22T12:00:00Z", Wanted(at=datetime(2026, 11, 22, 12, tzinfo=UTC))),
    ],
)
def test_a_query_is_read_by_its_class(query: str, wanted: Wanted) -> None:
    assert read_query(Wanted, query.encode()) == wanted


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=x", "limit"),
        ("limit=1.0", "limit"),
        ("limit=1_000", "limit"),
        ("limit=" + "9" * 5000, "limit"),
        ("limit=٥", "limit"),
        ("limit=%205", "limit"),
        ("flag=maybe", "flag"),
        ("ratio=nan", "ratio"),
        ("ratio=1e5", "ratio"),
        ("colour=green", "colour"),
        ("colours=red,green", "colours.1"),
        ("numbers=1,x", "numbers.1"),
        ("at=yesterday", "at"),
        ("text=a%00b", "text"),
    ],
)
def test_a_query_that_is_wrong_is_refused_by_name(query: str, field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        read_query(Wanted, query.encode())
    assert refusal.value.field == field


@pytest.mark.parametrize("query", [b"text=%ff", b"%c3=1", b"\xff=1", b"a=1&" * 101, b"text=%00", b"a%00=1"])
def test_a_query_that_cannot_be_read_is_malformed(query: bytes) -> None:
    with pytest.raises(Invalid) as refusal:
        read_query(Wanted, query)
    assert refusal.value.code == "query_malformed"


def test_a_parameter_may_be_required() -> None:
    for query in (b"", b"x=1"):
        with pytest.raises(Invalid, match="task: is required"):
            read_query(Needed, query)


@given(st.binary(max_size=60) | st.text("limt=&,%0123+a", max_size=40).map(str.encode))
@example(b"text=%ff")
@example(b"a=1&" * 200)
def test_a_query_of_garbage_is_read_or_refused(query: bytes) -> None:
    try:
        assert isinstance(read_query(Wanted, query), Wanted)
    except Invalid as refusal:
        assert refusal.problem


# ------------------------------------------------------------------------------------------------- answers


async def test_an_answer_is_encoded_wherever_its_values_stand() -> None:
    async def answer(call: Call) -> Json:
        at = datetime(2026, 11, 22, 12, tzinfo=UTC)
        return Json(
            {"note": Note("a"), "at": at, "for": timedelta(seconds=1), "set": frozenset({2, 1}), "c": Colour.RED}
        )

    async with client_of(application(Route("GET", "/", answer, PUBLIC))) as client:
        assert (await client.get("/")).json() == {
            "note": {"title": "a", "priority": 0, "parts": [], "metadata": None},
            "at": "2026-11-22T12:00:00.000000Z",
            "for": 1_000_000,
            "set": [1, 2],
            "c": "red",
        }
