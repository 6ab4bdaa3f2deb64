"""A receiver of webhooks for tests that wait elsewhere: an HTTP server in a thread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

from attrs import Factory, define

from tests.e2e.programs import PATIENCE
from tests.outgoing.receiver import Taken

__all__ = ["Inbox", "receiving"]


@define(eq=False)
class Inbox:
    """``taken`` are the requests in their order. It ``holds`` back its answers until it is let go."""

    url: str = ""
    taken: list[Taken] = Factory(list)
    holds: bool = False
    free: Event = Factory(Event)


@contextmanager
def receiving() -> Iterator[Inbox]:
    """One that listens on a free port of this machine."""
    inbox = Inbox()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            inbox.taken.append(Taken(self.path, headers, body))
            if inbox.holds:
                inbox.free.wait(PATIENCE)
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        inbox.url = f"http://127.0.0.1:{server.server_address[1]}/"
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield inbox
        finally:
            inbox.free.set()
            server.shutdown()
            thread.join()
