"""The real OPA engine behind the data API of an OPA server, on a free port of this machine.

The engine is OPA's own, built as a library; the few lines of HTTP around it are ours, for the server's binary is in no
package registry.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from attrs import define, field
from opa_bindings.engine import OpaEngine, OpaUndefinedError

from codetether_adapters.opa.question import ACCESS, AGENT, question, wish
from codetether_adapters.opa.verdicts import verdict_of
from codetether_core.access import Principal, ToolRequest, Verdict
from codetether_core.errors import PermissionDenied
from codetether_core.ids import TenantId

__all__ = ["OpaShim", "RealOpa", "opa_server"]


class RealOpa:
    """Decides by OPA's own engine (ports ``Authorizer`` and ``AgentPolicy``)."""

    def __init__(self, modules: Mapping[str, str]) -> None:
        self.engine = OpaEngine()
        for name, module in modules.items():
            self.engine.add_policy(name, module)

    def document(self, path: str, asked: object) -> Any:
        """The value of a document; ``OpaUndefinedError``."""
        return self.engine.eval_document(path, asked)

    async def authorize(self, principal: Principal, permission: str, *, tenant: TenantId | None = None) -> None:
        if self.document(".".join(ACCESS), question(principal, permission, tenant)) is not True:
            raise PermissionDenied(f"{principal.name} may not {permission}", permission=permission)

    async def judge(self, request: ToolRequest) -> Verdict:
        return verdict_of(self.document(".".join(AGENT), wish(request)))


@define(eq=False)
class OpaShim:
    """A running server: what it was asked, and what it answers instead of the engine's word, if anything."""

    url: str
    asked: list[Mapping[str, Any]] = field(factory=list)
    instead: tuple[int, bytes] | None = None


@contextmanager
def opa_server(modules: Mapping[str, str]) -> Iterator[OpaShim]:
    """Until the context is left."""
    opa = RealOpa(modules)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told = json.loads(self.rfile.read(int(self.headers["content-length"])))
            shim.asked.append(told["input"])
            self._say(*(shim.instead or self._decide(told["input"])))

        def _decide(self, asked: object) -> tuple[int, bytes]:
            path = self.path.removeprefix("/v1/data/").replace("/", ".")
            try:
                return 200, json.dumps({"result": opa.document(path, asked)}).encode()
            except OpaUndefinedError:
                return 200, b"{}"

        def _say(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """To nobody."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        shim = OpaShim(f"http://127.0.0.1:{server.server_address[1]}")
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield shim
        finally:
            server.shutdown()
