"""A server under each HTTP server that we support, which survives whatever is done to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.badinput.wire import AUTHORIZATION, HOST, exchange
from tests.http.server import TOKEN, Server, serving


@pytest.fixture(scope="module", params=["hypercorn", "uvicorn"])
def engine(request: pytest.FixtureRequest) -> str:
    """Its name."""
    return str(request.param)


@pytest.fixture(scope="module")
def server(engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One that has little patience. Nothing that was done to it was an error of ours, or is in its log."""
    impatient = {
        "CODETETHER_ASGI": engine,
        "CODETETHER_IDLE_TIMEOUT": "2s",
        "CODETETHER_UPLOAD_TIMEOUT": "1s",
        "CODETETHER_STALL_TIMEOUT": "1s",
    }
    with serving(tmp_path_factory.mktemp(engine), impatient) as server:
        yield server
        for said in ("Traceback", "request_failed", TOKEN):
            assert said not in server.program.said, server.program.said


@pytest.fixture
def unharmed(server: Server) -> Iterator[None]:
    """Whatever a test sends, the next request is answered."""
    yield
    request = b"GET /v1/agent/tasks HTTP/1.1\r\n" + HOST + AUTHORIZATION + b"Connection: close\r\n\r\n"
    assert [answer.status for answer in exchange(server, request)] == [200]
