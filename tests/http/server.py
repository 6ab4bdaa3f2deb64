"""A real server process over SQLite, for tests of what only such a one shows."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from tests.e2e.programs import Program, start, until

__all__ = ["TOKEN", "Server", "serving"]

TOKEN = "a-token-that-is-in-no-log"


@frozen
class Server:
    """Where it listens, and its process."""

    port: int
    program: Program

    @property
    def url(self) -> str:
        """Where a client reaches it."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def serving(directory: Path, more: Mapping[str, str] | None = None, *, leaves: bool = True) -> Iterator[Server]:
    """A server with ``more`` settings whose administrator has ``TOKEN``; if it ``leaves``, it has to do so properly."""
    directory.mkdir(exist_ok=True)
    settings = {
        "CODETETHER_DATA_DIR": str(directory / "data"),
        "CODETETHER_TOKENS": f"admin:{TOKEN}:admin",
        "CODETETHER_LOG_LEVEL": "debug",
        **(more or {}),
    }
    program = start(directory / "server.log", settings, "-m", "codetether_apps.server", "--port", "0")
    try:
        found = until(lambda: re.search(r"http://127\.0\.0\.1:(\d+)", program.said), "the server's start")
        assert found is not None, program.said
        yield Server(int(found[1]), program)
        if not leaves:
            return
        assert program.process.poll() is None, program.said
        program.signal(signal.SIGTERM)
        assert program.wait() == 0, program.said
    finally:
        if program.process.poll() is None:
            program.kill()
