"""Server processes under measurement."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from attrs import frozen

from tests.a2a.clients.installing import python_program
from tests.bench.accounting import cpu_seconds
from tests.bench.wire import Connection

__all__ = ["Server", "a2a_server", "codetether_server", "echo_server", "free_port", "mcp_sdk_server", "sdk_server"]

_PATIENCE_SECONDS = 20.0


@frozen
class Server:
    """A running server: where it listens, how to get in, and what it costs."""

    port: int
    token: str
    process: psutil.Process
    started_in: float
    """Seconds from exec to the first 200."""

    def cpu_seconds(self) -> float:
        """User and system time of the process and its children so far."""
        return cpu_seconds([self.process])

    def resident_bytes(self) -> int:
        """Resident memory of the process and its children."""
        family = [self.process, *self.process.children(recursive=True)]
        return sum(member.memory_info().rss for member in family)

    def connect(self) -> Connection:
        """A keep-alive connection with the token."""
        return Connection(self.port, self.token)


@contextmanager
def codetether_server(*, asgi: str = "hypercorn", store: str = "", token: str = "") -> Iterator[Server]:
    """Our server, by default on SQLite with full synchronisation, in a directory of its own."""
    with tempfile.TemporaryDirectory(prefix="codetether-bench-") as directory:
        token = token or secrets.token_hex(16)
        settings = {
            "CODETETHER_DATA_DIR": directory,
            "CODETETHER_STORE": store or f"sqlite:///{directory}/bench.db",
            "CODETETHER_TOKENS": f"bench:{token}:admin",
            "CODETETHER_ASGI": asgi,
        }
        with _started([sys.executable, "-m", "codetether_apps.cli", "server"], settings, token) as server:
            yield server


@contextmanager
def a2a_server() -> Iterator[Server]:
    """Our server over memory, with an agent in the same process that says back what it is told."""
    with tempfile.TemporaryDirectory(prefix="codetether-bench-") as directory:
        token = secrets.token_hex(16)
        settings = {
            "CODETETHER_DATA_DIR": directory,
            "CODETETHER_STORE": "memory://",
            "CODETETHER_TOKENS": f"bench:{token}:admin",
        }
        with _started([sys.executable, "-m", "tests.bench.echoing"], settings, token) as server:
            yield server


@contextmanager
def sdk_server() -> Iterator[Server]:
    """The official SDK's server, around such an agent."""
    with _started(python_program("1.3.0", "echo_agent"), {}, "") as server:
        yield server


@contextmanager
def mcp_sdk_server() -> Iterator[Server]:
    """The MCP SDK's server, with the tool of its own first example, under the same HTTP server."""
    with _started([sys.executable, "-m", "tests.bench.adding"], {}, "") as server:
        yield server


@contextmanager
def echo_server(*, asgi: str = "hypercorn") -> Iterator[Server]:
    """The ceiling: the same HTTP server around a handler that parses JSON and sends it back."""
    with _started([sys.executable, "-m", "tests.bench.echo", asgi], {}, "") as server:
        yield server


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def _started(command: list[str], settings: dict[str, str], token: str) -> Iterator[Server]:
    port = free_port()
    environment = {**os.environ, **settings, "CODETETHER_PORT": str(port)}
    begun = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, env=environment, stdout=said, stderr=said, cwd=Path(__file__).parents[2])
        try:
            _until_ready(port, process, begun)
            yield Server(port, token, psutil.Process(process.pid), time.perf_counter() - begun)
        except BaseException:
            said.seek(0)
            sys.stderr.write(said.read().decode(errors="replace")[-4000:])
            raise
        finally:
            process.terminate()
            process.wait(30)


def _until_ready(port: int, process: subprocess.Popen[bytes], begun: float) -> None:
    while time.perf_counter() - begun < _PATIENCE_SECONDS:
        with suppress(OSError):
            connection = Connection(port, "")
            if connection.request("GET", "/readyz")[0] == 200:
                return
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        time.sleep(0.005)
    raise TimeoutError("the server did not become ready")
