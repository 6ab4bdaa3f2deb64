"""The endpoint in this process, and clients of both eras of the protocol."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import httpx
from attrs import define, field

from codetether_adapters import memory
from tests.a2a.hub import Hub as Workers
from tests.a2a.hub import Run
from tests.http.resources.harness import Api, Caller, open_api

__all__ = ["HANDSHAKE", "MODERN", "RPC", "Hub", "envelope", "named", "open_hub"]

RPC = "/mcp/v1/rpc"
MODERN = "2026-07-28"
HANDSHAKE = "2025-11-25"
BOTH = "application/json, text/event-stream"


def named(method: str, params: Mapping[str, Any], era: str = MODERN) -> dict[str, str]:
    """The headers of a request."""
    headers = {"Accept": BOTH, "MCP-Protocol-Version": era}
    if era != MODERN:
        return headers
    name = params.get("name", params.get("uri", params.get("taskId")))
    return headers | {"Mcp-Method": method} | ({"Mcp-Name": str(name)} if name is not None else {})


def envelope(
    method: str, params: Mapping[str, Any], era: str = MODERN, id: Any = 1, capabilities: Any = None, **meta: Any
) -> dict[str, Any]:
    """A request."""
    if era == MODERN:
        meta |= {
            "io.modelcontextprotocol/protocolVersion": era,
            "io.modelcontextprotocol/clientCapabilities": capabilities or {},
        }
    return {"jsonrpc": "2.0", "id": id, "method": method, "params": {**params, **({"_meta": meta} if meta else {})}}


@define(eq=False)
class Hub:
    """The application, as those who speak the protocol find it."""

    api: Api
    era: str = MODERN
    _ids: Any = field(factory=count)

    @property
    def workers(self) -> Workers:
        """Those who do the work."""
        return Workers(self.api)

    async def claim(self) -> Run:
        """The next task that waits, claimed."""
        return await self.workers.claim()

    async def post(self, method: str, params: Mapping[str, Any], who: str = "alice", **more: Any) -> httpx.Response:
        caller: Caller = getattr(self.api, who)
        headers = named(method, params, self.era) | more.pop("headers", {})
        body = envelope(method, params, self.era, next(self._ids), **more)
        return await caller("POST", RPC, body, headers=headers)

    async def ask(self, method: str, who: str = "alice", **params: Any) -> Any:
        """The result of a request that has to succeed."""
        answer = answer_in(await self.post(method, params, who))
        assert "result" in answer, answer
        return answer["result"]

    async def error(self, method: str, who: str = "alice", **params: Any) -> Any:
        """The error of a request that has to be refused."""
        answer = answer_in(await self.post(method, params, who))
        assert "error" in answer, answer
        return answer["error"]

    async def tool(self, name: str, who: str = "alice", /, **arguments: Any) -> Any:
        """What a tool answers that has to succeed: its data, which its text says as well."""
        result = await self.ask("tools/call", who, name=name, arguments=arguments)
        assert not result["isError"], result
        assert json.loads(result["content"][0]["text"]) == result["structuredContent"]
        return result["structuredContent"]

    async def failed(self, name: str, who: str = "alice", /, **arguments: Any) -> str:
        """What a tool says that has to fail."""
        result = await self.ask("tools/call", who, name=name, arguments=arguments)
        assert result["isError"], result
        assert "structuredContent" not in result
        (text,) = result["content"]
        return str(text["text"])


def answer_in(response: httpx.Response) -> Any:
    """The message that answers, in whichever form."""
    if response.headers["content-type"].startswith("text/event-stream"):
        frames = [line for line in response.text.splitlines() if line.startswith("data: ")]
        return json.loads(frames[-1].removeprefix("data: "))
    return response.json()


@asynccontextmanager
async def open_hub(era: str = MODERN) -> AsyncIterator[Hub]:
    """Over the memory store."""
    async with memory.open_backend("memory://") as backend, open_api(backend) as api:
        yield Hub(api, era)
