"""Clients that take their time, or ours: each has an end that the operator can set, and holds up nobody else."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Final

import psutil
import pytest
import requests

from tests.badinput.wire import AUTHORIZATION, HOST, PATIENCE, answers_in, connect, heard, problem_of
from tests.e2e.programs import until
from tests.http.server import TOKEN, Server

pytestmark = pytest.mark.usefixtures("unharmed")

POST: Final = b"POST /v1/agent/tasks HTTP/1.1\r\n" + HOST + AUTHORIZATION
MEBIBYTE: Final = 2**20
HEADS: Final = {
    "nothing": b"",
    "a part of the first line": b"GET /liv",
    "a part of the headers": b"GET /livez HTTP/1.1\r\nX-A: b",
    "a request before": b"GET /livez HTTP/1.1\r\n" + HOST + b"\r\nGET /livez HTTP/1.1\r\nX-A: b",
}


def trickled(peer: socket.socket, drop: Callable[[], bytes]) -> bytes:
    """What comes until the server closes, while a drop is sent every now and then."""
    found = b""
    peer.settimeout(0.1)
    for _ in range(int(PATIENCE / 0.1)):
        try:
            chunk = peer.recv(65536)
        except TimeoutError:
            try:
                peer.sendall(drop())
            except ConnectionError:
                return found
        except ConnectionResetError:
            return found
        else:
            if not chunk:
                return found
            found += chunk
    raise AssertionError("it is still connected")


@pytest.mark.parametrize("name", HEADS)
def test_a_request_that_does_not_begin_in_time_is_hung_up_on(server: Server, name: str) -> None:
    """However many bytes of it keep coming."""
    with connect(server) as peer:
        peer.sendall(HEADS[name])
        answers = answers_in(trickled(peer, lambda: b"y") if name else heard(peer))
        assert [answer.status for answer in answers] in ([200] * ("before" in name), [400])


@pytest.mark.parametrize("head", [b"Content-Length: 1000\r\n\r\n{", b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n"])
def test_a_body_that_does_not_come_is_408(server: Server, head: bytes) -> None:
    """Byte by byte it does not come either."""
    with connect(server) as peer:
        peer.sendall(POST + head)
        drop = b"1\r\n \r\n" if b"chunked" in head else b" "
        (answer,) = answers_in(trickled(peer, lambda: drop))
        assert (answer.status, problem_of(answer)["code"]) == (408, "too_slow")
        assert answer.headers["connection"] == "close"


def test_a_body_without_end_is_413(server: Server) -> None:
    """As soon as it is larger than any may be."""
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
    with connect(server) as peer:
        try:
            peer.sendall(POST + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 63)
            for _ in range(10_000):
                peer.sendall(chunk)
        except ConnectionError:
            return
        raise AssertionError("it is still read")


def test_a_body_that_nobody_wants_holds_no_connection(server: Server) -> None:
    """Whoever is refused before their body is read is hung up on, and nothing of them is left."""
    chunks = b"400\r\n" + b"x" * 1024 + b"\r\n"
    with connect(server) as peer:
        try:
            peer.sendall(b"POST /v1/agent/tasks HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n")
            peer.sendall(chunks * 3000 + b"0\r\n\r\n")
        except ConnectionError:
            pass
        port = peer.getsockname()[1]
        assert [answer.status for answer in answers_in(heard(peer))] in ([401], [])
    until(lambda: port not in connected(server), "the end of the connection")


def test_a_reader_that_does_not_read_is_let_go(server: Server) -> None:
    """What was sent waits in the system, which gives it up."""
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(("127.0.0.1", server.port))
        deaf.sendall(b"GET /v1/monitor/stream HTTP/1.1\r\n" + HOST + AUTHORIZATION + b"\r\n")
        port = deaf.getsockname()[1]
        until(lambda: port in connected(server), "the connection")
        with requests.Session() as speaker:
            speaker.headers["Authorization"] = f"Bearer {TOKEN}"
            speaker.post(f"{server.url}/v1/agent/agents", json={"name": "deaf"}, timeout=PATIENCE).raise_for_status()
            for _ in range(8):
                body = {"to": "deaf", "body": "x" * MEBIBYTE}
                speaker.post(f"{server.url}/v1/agent/messages", json=body, timeout=PATIENCE).raise_for_status()
        until(lambda: port not in connected(server), "the end of the connection")


def test_a_stream_whose_reader_said_its_last_word_is_let_go(server: Server) -> None:
    """A half-closed connection is a client that left."""
    with connect(server) as peer:
        peer.sendall(b"GET /v1/monitor/stream HTTP/1.1\r\n" + HOST + AUTHORIZATION + b"\r\n")
        peer.recv(100)
        peer.shutdown(socket.SHUT_WR)
        heard(peer)
        port = peer.getsockname()[1]
    until(lambda: port not in connected(server), "the end of the connection")


def test_many_who_say_nothing_keep_nobody_out(server: Server) -> None:
    """Each is hung up on in time."""
    idle = [connect(server) for _ in range(300)]
    try:
        answer = requests.get(f"{server.url}/livez", timeout=PATIENCE)
        assert answer.status_code == 200
        assert {heard(peer) for peer in idle} == {b""}
    finally:
        for peer in idle:
            peer.close()


def connected(server: Server) -> set[int]:
    """The ports of those who have a connection to it."""
    found = psutil.Process(server.program.process.pid).net_connections("tcp")
    return {each.raddr.port for each in found if each.status != psutil.CONN_LISTEN}
