"""A model of few words: it wants a command run, and says that it is done once it has been told what came of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from typing import Any

__all__ = ["Model"]

_USAGE = {"usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}}


class Model:
    """Serves chat completions at ``url``; ``asked`` has the names of the models that were wanted."""

    def __init__(self, command: str) -> None:
        self.asked: list[str] = []
        model = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                model.asked.append(body["model"])
                self.send_response(200)
                self.send_header("content-type", "text/event-stream")
                self.end_headers()
                for piece in _completion(body, command):
                    self.wfile.write(f"data: {json.dumps(piece)}\n\n".encode())
                self.wfile.write(b"data: [DONE]\n\n")

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Model:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _completion(body: Mapping[str, Any], command: str) -> list[Mapping[str, Any]]:
    if body.get("tools") and all(message["role"] != "tool" for message in body["messages"]):
        arguments = json.dumps({"command": command, "description": "What was asked for"})
        call = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "bash", "arguments": arguments}}
        return _pieces("tool_calls", {"role": "assistant", "content": "I try."}, {"tool_calls": [call]})
    return _pieces("stop", {"role": "assistant", "content": "All "}, {"content": "done."})


def _pieces(end: str, *deltas: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [*(_piece(delta, None) for delta in deltas), {**_piece({}, end), **_USAGE}]


def _piece(delta: Mapping[str, Any], end: str | None) -> Mapping[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": end}
    return {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
