"""Requests that two readers may take for two: refused and hung up on, or read in the one way that there is.

Each is followed by another request. Either that one is never answered, or it is answered as the second, by itself.
"""

from __future__ import annotations

import json
from typing import Final

import pytest

from tests.badinput.wire import AUTHORIZATION, HOST, exchange, problem_of
from tests.http.server import Server

pytestmark = pytest.mark.usefixtures("unharmed")

NEXT: Final = b"GET /smuggled HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
BODY: Final = b'{"prompt": "p"}'
CHUNKS: Final = b"f\r\n" + BODY + b"\r\n0\r\n\r\n"


def get(more: bytes = b"", *, target: bytes = b"/v1/agent/tasks", line: bytes = b"", host: bytes = HOST) -> bytes:
    return (line or b"GET " + target + b" HTTP/1.1") + b"\r\n" + host + AUTHORIZATION + more + b"\r\n"


def post(more: bytes, body: bytes, *, version: bytes = b"1.1") -> bytes:
    return b"POST /v1/agent/tasks HTTP/" + version + b"\r\n" + HOST + AUTHORIZATION + more + b"\r\n" + body


REFUSED: Final[dict[str, bytes]] = {
    "a length and chunks": post(b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n" % len(CHUNKS), CHUNKS),
    "a short length and chunks": post(b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", CHUNKS),
    "chunks and a length": post(b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", CHUNKS),
    "an unknown coding": post(b"Transfer-Encoding: xchunked\r\n", CHUNKS),
    "chunks twice": post(b"Transfer-Encoding: chunked, chunked\r\n", CHUNKS),
    "chunks, then none": post(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", CHUNKS),
    "no coding by name": post(b"Transfer-Encoding: identity\r\nContent-Length: 15\r\n", BODY),
    "compressed chunks": post(b"Transfer-Encoding: gzip, chunked\r\n", CHUNKS),
    "quoted chunks": post(b'Transfer-Encoding: "chunked"\r\n', CHUNKS),
    "chunks behind a vertical tab": post(b"Transfer-Encoding: \x0bchunked\r\n", CHUNKS),
    "chunks with a space before the colon": post(b"Transfer-Encoding : chunked\r\n", CHUNKS),
    "chunks in HTTP/1.0": post(b"Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n", CHUNKS, version=b"1.0"),
    "two lengths": post(b"Content-Length: 15\r\nContent-Length: 0\r\n", BODY),
    "a list of lengths": post(b"Content-Length: 15, 0\r\n", BODY),
    "a negative length": post(b"Content-Length: -15\r\n", BODY),
    "a length with a sign": post(b"Content-Length: +15\r\n", BODY),
    "a length in hexadecimal": post(b"Content-Length: 0xf\r\n", BODY),
    "a length of 41 digits": post(b"Content-Length: 1" + b"0" * 40 + b"\r\n", BODY),
    "a length of more than 64 bits": post(b"Content-Length: 18446744073709551631\r\n", BODY),
    "an empty length": post(b"Content-Length: \r\n", BODY),
    "a chunk of negative size": post(b"Transfer-Encoding: chunked\r\n", b"-f\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "a chunk size with a prefix": post(b"Transfer-Encoding: chunked\r\n", b"0xf\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "a chunk that goes on": post(b"Transfer-Encoding: chunked\r\n", b"f\r\n" + BODY + b"XX0\r\n\r\n"),
    "a line feed in a chunk's extension": post(
        b"Transfer-Encoding: chunked\r\n", b"f;\nxx\r\n" + BODY + b"\r\n0\r\n\r\n"
    ),
    "chunks of bare line feeds": post(b"Transfer-Encoding: chunked\r\n", b"f\n" + BODY + b"\n0\n\n"),
    "a bare carriage return": get(b"X-A: b\rTransfer-Encoding: chunked\r\n"),
    "NUL in a value": get(b"X-A: a\0b\r\n"),
    "NUL in a name": get(b"X\0A: ab\r\n"),
    "a space before a colon": get(b"X-A : b\r\n"),
    "a line without a colon": get(b"Authorization\r\n"),
    "a header without a name": get(b": x\r\n"),
    "a first header that is folded": b"GET /livez HTTP/1.1\r\n X: y\r\n" + HOST + b"\r\n",
    "no host": get(host=b""),
    "two hosts": get(b"Host: elsewhere\r\n"),
    "the host twice": get(HOST),
    "a list of hosts": get(host=b"Host: localhost, elsewhere\r\n"),
    "a host with a path": get(host=b"Host: localhost/elsewhere\r\n"),
    "a host with a user": get(host=b"Host: localhost@elsewhere\r\n"),
    "a host that is no text": get(host=b"Host: \xff\r\n"),
    "two credentials": get(b"Authorization: Bearer another\r\n"),
    "two workers": get(b"X-Worker-ID: a\r\nX-Worker-ID: b\r\n"),
    "two keys": get(b"Idempotency-Key: a\r\nIdempotency-Key: b\r\n"),
    "HTTP/2.0 in a line": get(line=b"GET /v1/agent/tasks HTTP/2.0"),
    "a space in the target": get(target=b"/livez /x"),
    "tabs in the first line": get(line=b"GET\t/livez\tHTTP/1.1"),
    "the protocol in lower case": get(line=b"GET /livez http/1.1"),
    "a space before the method": get(line=b" GET /livez HTTP/1.1"),
    "a method of two words": get(line=b"GE T /livez HTTP/1.1"),
}  # fmt: skip
"""One 4xx or 501 from whoever sees it first, HTTP server or application; then the connection is closed."""

UNDERSTOOD: Final[dict[str, bytes]] = {
    "chunks": post(b"Transfer-Encoding: chunked\r\n", CHUNKS),
    "chunks behind a tab": post(b"Transfer-Encoding:\tchunked\r\n", CHUNKS),
    "chunks in capitals": post(b"Transfer-Encoding: CHUNKED\r\n", CHUNKS),
    "chunks with an extension": post(b"Transfer-Encoding: chunked\r\n", b"f;a=b\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "a body that was asked for": post(b"Expect: 100-continue\r\nContent-Length: 15\r\n", BODY),
    "a request in the body of a GET": get(b"Content-Length: %d\r\n" % len(NEXT)) + NEXT,
    "a forged address under another name": get(b"X_Forwarded_For: 203.0.113.9\r\n"),
}
"""Answered 200, and what follows as what it is: here 404."""

LENIENT: Final[dict[str, bytes]] = {
    "a length twice": post(b"Content-Length: 15\r\nContent-Length: 15\r\n", BODY),
    "a length with zeros before it": post(b"Content-Length: " + b"0" * 30 + b"15\r\n", BODY),
    "a folded coding": post(b"Transfer-Encoding:\r\n chunked\r\n", CHUNKS),
    "a folded header": get(b"X-A: b\r\n Content-Length: 15\r\n"),
    "lines that end in line feeds": get().replace(b"\r\n", b"\n"),
    "one line that ends in a line feed": get(b"X-A: b\nX-B: c\r\n"),
    "a space behind a chunk's size": post(b"Transfer-Encoding: chunked\r\n", b"f \r\n" + BODY + b"\r\n0\r\n\r\n"),
    "trailers": post(b"Transfer-Encoding: chunked\r\n", CHUNKS[:-2] + b"Content-Length: 5\r\nAuthorization: x\r\n\r\n"),
    "a list of the same length": post(b"Content-Length: 15, 15\r\n", BODY),
    "empty lines before": b"\r\n\r\n" + get(),
    "a method in lower case": get(line=b"get /v1/agent/tasks HTTP/1.1"),
    "HTTP/1.2": get(line=b"GET /v1/agent/tasks HTTP/1.2"),
    "two spaces": get(line=b"GET  /v1/agent/tasks HTTP/1.1"),
}
"""What RFC 9112 lets a server take or refuse (sections 2.2, 2.5, 5.2, 6.3, 7.1): refused as above or understood."""

ELSEWHERE: Final[dict[str, bytes]] = {
    "another server's": get(target=b"http://elsewhere.example/v1/agent/tasks"),
    "another's over TLS": get(target=b"https://elsewhere.example/v1/agent/tasks"),
    "another server": get(target=b"elsewhere.example:80"),
    "a tunnel": get(line=b"CONNECT elsewhere.example:80 HTTP/1.1"),
    "no path": get(target=b"v1/agent/tasks"),
    "a part of a page": get(target=b"/v1/agent/tasks#part"),
    "everything": get(line=b"OPTIONS * HTTP/1.1"),
    "an empty part of the path": get(target=b"//v1/agent/tasks"),
}
"""Targets that are not of ours: 400 and closed, or 404, and never what the rest of them names."""


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_and_nothing_more_is_read(server: Server, name: str) -> None:
    (answer,) = exchange(server, REFUSED[name] + NEXT)
    assert 400 <= answer.status < 500 or answer.status == 501, answer
    if answer.body.startswith(b"{"):
        assert problem_of(answer)["code"] in ("request_ambiguous", "too_large")


@pytest.mark.parametrize("name", UNDERSTOOD)
def test_it_is_read_in_one_way(server: Server, name: str) -> None:
    assert [answer.status for answer in exchange(server, UNDERSTOOD[name] + NEXT)] == [200, 404]


@pytest.mark.parametrize("name", LENIENT)
def test_it_is_refused_or_read_in_one_way(server: Server, name: str) -> None:
    statuses = [answer.status for answer in exchange(server, LENIENT[name] + NEXT)]
    assert statuses in ([200, 404], [400]), statuses


@pytest.mark.parametrize("name", ELSEWHERE)
def test_what_is_not_ours_is_not_answered_as_ours(server: Server, name: str) -> None:
    statuses = [answer.status for answer in exchange(server, ELSEWHERE[name] + NEXT)]
    assert statuses in ([404, 404], [400]), statuses


def test_no_other_protocol_is_spoken_when_somebody_asks_for_it(server: Server) -> None:
    """A proxy that hands this on would hand on, unseen, all that comes then (h2c smuggling)."""
    upgrade = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n"
    statuses = [answer.status for answer in exchange(server, get(upgrade) + NEXT)]
    assert statuses in ([200, 404], [200]), statuses


def test_an_upgrade_to_a_websocket_is_none(server: Server) -> None:
    """Nobody stays connected that way."""
    upgrade = b"Connection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    (answer,) = exchange(server, get(upgrade + b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"))
    assert answer.status in (200, 403)


@pytest.mark.parametrize("name", [b"X-Forwarded-For", b"X_Forwarded_For", b"X-Real-IP", b"Forwarded", b"X-Client-IP"])
def test_nobody_says_who_they_are_in_a_header(server: Server, name: bytes) -> None:
    """Only proxies that the operator trusts are believed, whatever the HTTP server would do by itself."""
    told = name + b": 203.0.113.9\r\nConnection: close\r\n"
    (made,) = exchange(server, post(told + b"Content-Length: 15\r\n", BODY))
    assert made.status == 200
    (trail,) = exchange(server, get(b"Connection: close\r\n", target=b"/v1/audit/events?limit=5"))
    records = json.loads(trail.body)["events"]
    assert {record["ip"] for record in records if record["ip"]} == {"127.0.0.1"}, records
