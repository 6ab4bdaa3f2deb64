"""A request that is refused before all of it has come: whoever sent it is told whether it may go on there."""

from __future__ import annotations

import pytest

from tests.badinput.wire import AUTHORIZATION, HOST, answers_in, connect, exchange, heard
from tests.http.server import Server

pytestmark = pytest.mark.usefixtures("unharmed")

BODY = b'{"prompt": "p", "title": "t"}'
HEAD = b"POST /v1/agent/tasks HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % len(BODY)
NEXT = b"GET /v1/agent/tasks HTTP/1.1\r\n" + HOST + AUTHORIZATION + b"Connection: close\r\n\r\n"


def test_a_stranger_whose_body_has_not_come_is_told_to_begin_anew(server: Server, engine: str) -> None:
    """What it sends there after that is heard by nobody: uvicorn reads on, and hears it."""
    with connect(server) as peer:
        peer.sendall(HEAD)
        if engine == "uvicorn":
            peer.sendall(BODY + NEXT)
            assert [answer.status for answer in answers_in(heard(peer))] == [401, 200]
            return
        (refused,) = answers_in(heard(peer))
        assert (refused.status, refused.headers["connection"]) == (401, "close")


def test_one_whose_body_is_there_may_go_on(server: Server) -> None:
    assert [answer.status for answer in exchange(server, HEAD + BODY + NEXT)] == [401, 200]
