"""SIGTERM ends the server in bounded time whatever its clients do, under every interpreter's idea of waiting."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

import pytest

from tests.apps.conftest import Launch
from tests.e2e.programs import Program, until

TOKEN = "t" * 20
AS_IT_IS = "from codetether_apps.server import main; raise SystemExit(main())"
AS_IN_3_12 = f"""\
import asyncio.base_events

async def wait_closed(self):
    if self._waiters is not None:
        waiter = self._loop.create_future()
        self._waiters.append(waiter)
        await waiter

asyncio.base_events.Server.wait_closed = wait_closed
{AS_IT_IS}
"""
"""CPython 3.12 and later: ``Server.wait_closed`` waits for the last connection, and hypercorn for that."""


def a_server(launch: Launch, directory: Path, program: str, engine: str) -> tuple[Program, int]:
    """A running server, and its port."""
    settings = {
        "CODETETHER_DATA_DIR": str(directory / "data"),
        "CODETETHER_TOKENS": f"all:{TOKEN}:admin",
        "CODETETHER_DRAIN": "1s",
        "CODETETHER_ASGI": engine,
    }
    server = launch(directory / "log", settings, "-c", program, "--port", "0")
    until(lambda: server.process.poll() is not None or "listening" in server.said, "the start")
    assert server.process.poll() is None, server.said
    return server, int(server.said.partition("http://127.0.0.1:")[2].partition('"')[0])


def register_reader(port: int) -> None:
    """An agent to whom messages can be sent."""
    with ask(port, "POST", "/v1/agent/agents", '{"name": "reader"}') as connection:
        hear(connection, b" 200 ")


def ask(port: int, method: str, path: str, body: str = "", *, missing: int = 0) -> socket.socket:
    """A connection on which something was asked, but for the last bytes that are ``missing``."""
    connection = socket.create_connection(("127.0.0.1", port))
    head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\n"
    connection.sendall(f"{head}Content-Length: {len(body) + missing}\r\n\r\n{body}".encode())
    return connection


def hear(connection: socket.socket, text: bytes) -> bytes:
    """What was answered up to the text."""
    connection.settimeout(20)
    heard = b""
    while text not in heard:
        chunk = connection.recv(65536)
        assert chunk, heard
        heard += chunk
    return heard


@pytest.mark.parametrize("program", [AS_IT_IS, AS_IN_3_12], ids=["this", "3.12"])
@pytest.mark.parametrize("engine", ["hypercorn", "uvicorn"])
def test_watchers_long_polls_and_idle_connections_do_not_hold_it_up(
    launch: Launch, tmp_path: Path, program: str, engine: str
) -> None:
    """Streams are ended, what waits is cut off at the drain time, and idle connections are closed."""
    server, port = a_server(launch, tmp_path, program, engine)
    register_reader(port)
    watcher = ask(port, "GET", "/v1/monitor/stream")
    idle = ask(port, "GET", "/livez")
    waiting = ask(port, "GET", "/v1/agent/messages?agent=reader&wait=60")
    half = socket.create_connection(("127.0.0.1", port))
    half.sendall(b"POST /v1/agent/tasks HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    with watcher, idle, waiting, half:
        hear(watcher, b"\r\n\r\n")
        hear(idle, b"alive")
        server.signal(signal.SIGTERM)
        assert server.wait() == 0, server.said
        rest = b""
        while chunk := watcher.recv(65536):
            rest += chunk
        assert rest.endswith(b"0\r\n\r\n")


@pytest.mark.parametrize("program", [AS_IT_IS, AS_IN_3_12], ids=["this", "3.12"])
@pytest.mark.parametrize("engine", ["hypercorn", "uvicorn"])
def test_a_watcher_that_does_not_read_does_not_hold_it_up(
    launch: Launch, tmp_path: Path, program: str, engine: str
) -> None:
    """Its buffers are full, so no end of the stream can reach it."""
    server, port = a_server(launch, tmp_path, program, engine)
    register_reader(port)
    with ask(port, "GET", "/v1/monitor/stream") as deaf:
        hear(deaf, b"\r\n\r\n")
        for number in range(12):
            body = f'{{"to": "reader", "body": "{number}{"x" * 1_000_000}"}}'
            with ask(port, "POST", "/v1/agent/messages", body) as speaker:
                hear(speaker, b" 200 ")
        server.signal(signal.SIGTERM)
        assert server.wait() == 0, server.said
        assert "requests_cut" in server.said
        assert engine == "uvicorn" or "Traceback" not in server.said  # uvicorn tells of whatever ends a request


def test_a_second_signal_does_not_wait(launch: Launch, tmp_path: Path) -> None:
    """Who presses Ctrl-C twice means it."""
    server, port = a_server(
        launch,
        tmp_path,
        AS_IT_IS.replace("from", "import os; os.environ['CODETETHER_DRAIN'] = '1h'; from", 1),
        "hypercorn",
    )
    with ask(port, "POST", "/v1/agent/messages", "{", missing=1):  # which the drain waits for
        for _ in range(20):  # turns enough for the server to be in the middle of what came before
            with ask(port, "GET", "/livez") as later:
                hear(later, b"alive")
        server.signal(signal.SIGINT)
        until(lambda: "draining" in server.said, "the drain")
        server.signal(signal.SIGINT)
        assert server.wait() in (-signal.SIGINT, 130)
