"""Servers of tools that are no programs, and a policy that goes by names."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from attrs import define, field, frozen

from codetether_adapters.ciphers import Aes
from codetether_adapters.memory.backend import open_backend
from codetether_adapters.system import Joined, together
from codetether_core.access import Decision, Principal, ToolRequest, Verdict
from codetether_core.agents import SignIn
from codetether_core.audit import AuditQuery
from codetether_core.errors import CodeTetherError
from codetether_core.events import Topic
from codetether_core.ports import RecordStore
from codetether_core.services import assemble
from codetether_core.tool_servers import OfferedTool, ToolAnswer, ToolServer
from tests.http.resources.world import CountingDice, FakeClock
from tests.services.desk import TENANT, Desk

__all__ = ["ADMIN", "Caller", "Tools", "open_tools", "server"]

ADMIN = Principal(name="root", roles=frozenset({"admin"}))
NAMES = ("allow_it", "ask_it", "deny_it")


def server(name: str = "far", *, secret: str | None = None, **more: Any) -> ToolServer:
    """It, registered."""
    sign_in = None if secret is None else SignIn(header="Authorization", prefix="Bearer ", secret=secret)
    at = FakeClock().at
    known = {"name": name, "tenant": TENANT, "url": f"https://{name}.example/mcp", "registered_by": "root"}
    return ToolServer(**{**known, "registered_at": at, "sign_in": sign_in, **more})


def _at_once() -> asyncio.Event:
    may = asyncio.Event()
    may.set()
    return may


@define(eq=False)
class Caller:
    """Answers at once, and lists once it ``may`` (a ``ToolCaller``). ``broken`` are servers that do not."""

    answer: ToolAnswer = field(factory=lambda: ToolAnswer(content=[{"type": "text", "text": "done"}]))
    broken: dict[str, CodeTetherError] = field(factory=dict)
    names: Sequence[str] = NAMES
    may: asyncio.Event = field(factory=_at_once)
    listed: list[tuple[str, timedelta, str]] = field(factory=list)
    used: list[tuple[str, str, Mapping[str, Any], str]] = field(factory=list)

    async def tools(self, server: ToolServer, credential: str = "") -> Sequence[OfferedTool]:
        self.listed.append((server.name, server.timeout, credential))
        await self.may.wait()
        if server.name in self.broken:
            raise self.broken[server.name]
        return [
            OfferedTool(name=name, arguments={"type": "object"}, description=f"{credential}!") for name in self.names
        ]

    async def call(
        self, server: ToolServer, tool: str, arguments: Mapping[str, Any], credential: str = ""
    ) -> ToolAnswer:
        self.used.append((server.name, tool, arguments, credential))
        if server.name in self.broken:
            raise self.broken[server.name]
        return self.answer


class ByName:
    """The policy says what the tool's name says (an ``AgentPolicy``)."""

    async def judge(self, request: ToolRequest) -> Verdict:
        decision = request.tool.name.partition("__")[2].partition("_")[0]
        return Verdict(decision=Decision(decision), rule="by_name", reason="So it is called")


@frozen
class Tools(Desk):
    """A desk that uses tools."""

    caller: Caller
    servers: RecordStore[ToolServer]

    async def until_asked(self) -> Any:
        """The open approval, as soon as there is one."""
        with self.services.backend.notifier.listen(Topic(TENANT)) as bell:
            while not (found := await self.services.questions.find(ADMIN)):
                await bell.wait()
        return found[0]

    async def trail(self) -> list[tuple[str, str, str, Mapping[str, Any]]]:
        """What the audit trail says of tools."""
        await self.services.recording.flush()
        query = AuditQuery(actions=frozenset({"tool.used"}))
        found = await self.services.auditing.find(ADMIN, query, limit=100)
        return [(each.actor, each.resource, each.outcome.value, each.metadata) for each in found.records]


@asynccontextmanager
async def open_tools(*servers: ToolServer) -> AsyncIterator[Tools]:
    """With these registered."""
    async with open_backend("memory://") as backend:
        clock, caller, records = FakeClock(), Caller(), backend.tool_servers
        services = assemble(
            backend,
            clock,
            CountingDice(),
            key=b"k" * 32,
            cipher=Aes([("k1", b"k" * 32)]),
            agent_policy=ByName(),
            tool_caller=caller,
            together=together,
            joining=Joined(),
        )
        for each in servers:
            await records.add(each)
        yield Tools(services, clock, caller, records)
