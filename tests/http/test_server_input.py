"""What only a real HTTP server shows: requests that are cut, malformed, huge, slow or old.

It stays alive, answers 4xx where a request reaches us, and its log has nothing of what was sent in confidence.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import pytest

from tests.http.server import TOKEN, Server, serving

PATIENCE = 30.0
AUTHORIZATION = f"Authorization: Bearer {TOKEN}\r\n".encode()
SECRET = b"what-nobody-may-read"
HOST = b"Host: localhost\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("input")) as server:
        yield server
        for secret in (TOKEN.encode(), SECRET, b"Traceback"):
            assert secret not in server.program.log.read_bytes(), secret


@pytest.fixture(autouse=True)
def alive(server: Server) -> Iterator[None]:
    """Whatever a test sends, the next request is answered."""
    yield
    assert statuses(exchange(server, get(b"/v1/agent/tasks"))) == [200]


def get(path: bytes, *, more: bytes = b"", version: bytes = b"1.1") -> bytes:
    return (
        b"GET "
        + path
        + b" HTTP/"
        + version
        + b"\r\n"
        + HOST
        + AUTHORIZATION
        + b"Connection: close\r\n"
        + more
        + b"\r\n"
    )


def post(body: bytes, *, path: bytes = b"/v1/agent/tasks", more: bytes = b"") -> bytes:
    length = b"Content-Length: %d\r\nConnection: close\r\n" % len(body)
    return b"POST " + path + b" HTTP/1.1\r\n" + HOST + AUTHORIZATION + length + more + b"\r\n" + body


def exchange(server: Server, *parts: bytes, finish: bool = False) -> bytes:
    """All that comes back until the server closes; ``finish`` says that nothing more will be sent."""
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as peer:
        try:
            for part in parts:
                peer.sendall(part)
            if finish:
                peer.shutdown(socket.SHUT_WR)
        except OSError:  # refused before all of it was sent
            pass
        return received(peer)


def received(peer: socket.socket) -> bytes:
    answer = b""
    try:
        while chunk := peer.recv(65536):
            answer += chunk
    except ConnectionResetError:  # closed while some of the request was still on its way
        pass
    return answer


def statuses(answer: bytes) -> list[int]:
    """The status of every answer."""
    return [int(part[2:5]) for part in answer.split(b"HTTP/1.")[1:]] if answer else []


def problem(answer: bytes) -> dict[str, object]:
    """The body of the only answer."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head, answer
    members: dict[str, object] = json.loads(body[body.index(b"{") : body.rindex(b"}") + 1])
    return members


REFUSED: dict[str, tuple[bytes, int, str]] = {
    "nested": (post(b"[" * 10_000 + b"]" * 10_000), 400, "json_malformed"),
    "nested in a member": (post(b'{"metadata": ' + b'{"a":' * 900 + b"1" + b"}" * 901), 400, "json_too_deep"),
    "large": (post(b'{"prompt": "' + SECRET + b"x" * 5 * 1024 * 1024 + b'"}'), 413, "too_large"),
    "no UTF-8 in the body": (post(b'{"prompt": "' + SECRET + b'\xff"}'), 400, "json_malformed"),
    "a surrogate in the body": (post(b'{"prompt": "\\udfff"}'), 400, "json_malformed"),
    "NUL in the body": (post(b'{"prompt": "\\u0000"}'), 422, "invalid_request"),
    "no UTF-8 in the path": (get(b"/v1/agent/tasks/%ff"), 400, "path_malformed"),
    "NUL in the path": (get(b"/v1/agent/tasks/%00"), 400, "path_malformed"),
    "no UTF-8 in the query": (get(b"/v1/agent/tasks?status=%ff"), 400, "query_malformed"),
    "NUL in the query": (get(b"/v1/agent/tasks?worker_id=%00"), 400, "query_malformed"),
    "a large number": (post(b'{"prompt": "p", "priority": 99999999999999999999}'), 422, "invalid_request"),
    "a huge exponent": (post(b'{"prompt": "p", "run_timeout_seconds": 1e308}'), 422, "invalid_request"),
    "a step up": (get(b"/v1/agent/tasks/../tasks"), 404, "route_not_found"),
    "an unknown method": (b"BREW" + get(b"/v1/agent/tasks")[3:], 405, "method_not_allowed"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_with_a_problem(server: Server, name: str) -> None:
    request, status, code = REFUSED[name]
    answer = exchange(server, request)
    assert statuses(answer) == [status], answer
    assert problem(answer)["code"] == code
    assert SECRET not in answer


NO_REQUEST: dict[str, bytes] = {
    "no HTTP": b"\x16\x03\x01\x02\x00" + b"\x00" * 200 + b"\r\n\r\n",
    "huge headers": get(b"/v1/agent/tasks", more=b"X-Filler: " + b"x" * 1_000_000 + b"\r\n"),
    "raw bytes in the path": get(b"/v1/agent/tasks/\xff\xfe"),
    "a chunk without a size": b"POST /v1/agent/tasks HTTP/1.1\r\n" + HOST + AUTHORIZATION
    + b"Transfer-Encoding: chunked\r\n\r\nnonsense\r\n",
    "two lengths": b"POST /v1/agent/tasks HTTP/1.1\r\n" + HOST + AUTHORIZATION
    + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "a negative length": b"POST /v1/agent/tasks HTTP/1.1\r\n" + HOST + AUTHORIZATION + b"Content-Length: -1\r\n\r\n{}",
}  # fmt: skip


@pytest.mark.parametrize("name", NO_REQUEST)
def test_what_is_no_request_is_400_or_a_closed_connection(server: Server, name: str) -> None:
    answer = exchange(server, NO_REQUEST[name], finish=True)
    assert all(400 <= status < 500 for status in statuses(answer)), answer


CUT: dict[str, bytes] = {
    "in the first line": b"POST /v1/agent/ta",
    "in a header": b"POST /v1/agent/tasks HTTP/1.1\r\n" + HOST + AUTHORIZATION[:20],
    "in the body": post(b'{"prompt": "' + SECRET)[:-1] + b"",
    "in a chunk": b"POST /v1/agent/tasks HTTP/1.1\r\n" + HOST + AUTHORIZATION
    + b'Transfer-Encoding: chunked\r\n\r\n10\r\n{"prompt',
    "between chunks": b"POST /v1/agent/tasks HTTP/1.1\r\n" + HOST + AUTHORIZATION
    + b'Transfer-Encoding: chunked\r\n\r\n0f\r\n{"prompt": "p"}\r\n',
}  # fmt: skip


@pytest.mark.parametrize("name", CUT)
def test_a_request_that_is_cut_does_nothing(server: Server, name: str) -> None:
    before = tasks(server)
    request = CUT[name].replace(b"Content-Length: 3", b"Content-Length: 9")
    answer = exchange(server, request, finish=True)
    assert all(400 <= status < 500 for status in statuses(answer)), answer
    assert tasks(server) == before


def tasks(server: Server) -> bytes:
    return exchange(server, get(b"/v1/agent/tasks", version=b"1.0")).partition(b"\r\n\r\n")[2]


def test_a_chunked_body_is_read_whole(server: Server) -> None:
    head = b"POST /v1/agent/tasks HTTP/1.1\r\n" + HOST + AUTHORIZATION + b"Connection: close\r\n"
    chunks = b'5\r\n{"pro\r\n', b'0a\r\nmpt": "p"}\r\n', b"0\r\n\r\n"
    assert statuses(exchange(server, head + b"Transfer-Encoding: chunked\r\n\r\n", *chunks)) == [200]


def test_http_1_0_is_answered_and_closed(server: Server) -> None:
    answer = exchange(server, b"GET /livez HTTP/1.0\r\n\r\n")
    assert statuses(answer) == [200]
    assert answer.endswith(b'{"status":"alive"}')


def test_pipelined_requests_are_answered_in_their_order(server: Server) -> None:
    first = b"GET /livez HTTP/1.1\r\n" + HOST + b"\r\n"
    second = b"GET /nowhere HTTP/1.1\r\n" + HOST + b"\r\n"
    answer = exchange(server, first + second + first + get(b"/v1/agent/tasks/none"))
    assert statuses(answer) == [200, 404, 200, 404]


def test_a_slow_half_request_holds_up_nobody(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as slow:
        request = post(b'{"prompt": "slow"}')
        slow.sendall(request[:-9])
        assert statuses(exchange(server, get(b"/v1/agent/tasks"))) == [200]
        slow.sendall(request[-9:])
        assert statuses(received(slow)) == [200]


def test_a_worker_stream_is_answered_and_let_go(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), PATIENCE) as peer:
        peer.sendall(get(b"/v1/worker/tasks/stream?worker_id=w&agent_name=a"))
        answer = b""
        while b"event: connected" not in answer:
            chunk = peer.recv(65536)
            assert chunk
            answer += chunk
        assert b"content-type: text/event-stream" in answer.lower()
