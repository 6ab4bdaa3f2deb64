"""Resources: the same values as the tools show, for hosts that read by address."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeAlias
from urllib.parse import unquote

from attrs import frozen

from codetether_adapters.mcp import uris
from codetether_adapters.mcp.caller import Exchange
from codetether_adapters.mcp.encoding import encode
from codetether_adapters.mcp.hub import Hub
from codetether_adapters.mcp.results import Status
from codetether_adapters.mcp.tasks import details
from codetether_adapters.mcp.tools.agents import LIST_AGENTS
from codetether_adapters.mcp.tools.codebases import GET_CODEBASE, LIST_CODEBASES
from codetether_adapters.mcp.tools.output import read_tail
from codetether_adapters.mcp.tools.sessions import transcript
from codetether_core.ids import AgentName
from codetether_core.ports import TaskQuery
from codetether_core.tasks import TaskState
from codetether_core.workers import Presence, presence

__all__ = ["ROOTS", "TEMPLATES", "Resource", "found"]

_JSON: Final = "application/json"
_WHOLE: Final = 4 * 1024 * 1024
_OUTPUT: Final = 200_000
_FRESH_MS: Final = 5_000
_ENDED_MS: Final = 60_000
_CARD_MS: Final = 300_000

_Read: TypeAlias = Callable[[Hub, Exchange, str], Awaitable[tuple[str, int]]]
"""From the part of the address that varies to the text, and for how many milliseconds it holds."""


@frozen(kw_only=True, eq=False)
class Resource:
    """``address`` may have one part ``{name}`` that varies."""

    address: str
    name: str
    title: str
    description: str
    permission: str
    read: _Read
    media_type: str = _JSON

    def shown(self) -> Mapping[str, Any]:
        """As clients list it."""
        return {
            "uriTemplate" if "{" in self.address else "uri": self.address,
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "mimeType": self.media_type,
        }

    def part(self, uri: str) -> str | None:
        """The part of an address that varies, ``None`` for one of another resource."""
        before, brace, after = self.address.partition("{")
        if not brace:
            return "" if uri == self.address else None
        end = after.partition("}")[2]
        match = re.fullmatch(f"{re.escape(before)}([^/]+){re.escape(end)}", uri)
        return unquote(match[1]) if match else None


def found(uri: str) -> tuple[Resource, str] | None:
    """The resource that an address is of, and the part that varies."""
    for resource in (*ROOTS, *TEMPLATES):
        if (part := resource.part(uri)) is not None and "\0" not in part:
            return resource, part
    return None


def _text(value: object) -> str:
    return encode(value).decode()


async def _codebases(hub: Hub, exchange: Exchange, part: str) -> tuple[str, int]:
    return _text(await LIST_CODEBASES.run(hub, exchange, LIST_CODEBASES.arguments(limit=100))), _FRESH_MS


async def _agents(hub: Hub, exchange: Exchange, part: str) -> tuple[str, int]:
    return _text(await LIST_AGENTS.run(hub, exchange, LIST_AGENTS.arguments(limit=100))), _FRESH_MS


async def _status(hub: Hub, exchange: Exchange, part: str) -> tuple[str, int]:
    backend, tenant = hub.services.backend, exchange.principal.tenant
    reach, now = await hub.reach(exchange.principal), hub.services.clock.now()
    whose = None if reach.everybody else reach.name
    counts = {
        state.value: await backend.tasks.total(tenant, TaskQuery(states=frozenset({state}), created_by=whose))
        for state in TaskState
    }
    workers = await backend.directory.workers.list(tenant)
    status = Status(
        version=hub.version,
        tasks=counts,
        codebases=len(await backend.codebases.list(tenant)),
        workers_online=sum(presence(each, now) is Presence.ACTIVE for each in workers),
    )
    return _text(status), _FRESH_MS


async def _codebase(hub: Hub, exchange: Exchange, part: str) -> tuple[str, int]:
    return _text(await GET_CODEBASE.run(hub, exchange, GET_CODEBASE.arguments(codebase=part))), _FRESH_MS


async def _task(hub: Hub, exchange: Exchange, part: str) -> tuple[str, int]:
    task = await hub.task(exchange, part)
    shown = await details(hub, exchange, task, full=True, most=_WHOLE)
    return _text(shown), _ENDED_MS if task.ended else 0


async def _output(hub: Hub, exchange: Exchange, part: str) -> tuple[str, int]:
    task = await hub.task(exchange, part)
    return (await read_tail(hub, task, _OUTPUT)).text, _ENDED_MS if task.ended else 0


async def _session(hub: Hub, exchange: Exchange, part: str) -> tuple[str, int]:
    return await transcript(hub, exchange, await hub.session(exchange, part), _OUTPUT), _FRESH_MS


async def _card(hub: Hub, exchange: Exchange, part: str) -> tuple[str, int]:
    agent = await hub.services.backend.directory.agents.get(exchange.principal.tenant, AgentName(part))
    card = {
        "name": agent.name,
        "description": agent.description,
        "url": agent.url,
        "capabilities": agent.capabilities,
        "models_supported": agent.models_supported,
        "last_seen": agent.last_seen,
    }
    return _text(card), _CARD_MS


ROOTS: Final = (
    Resource(
        address=uris.CODEBASES,
        name="codebases",
        title="Codebases",
        description="What coding agents can work on: the first hundred, by name.",
        permission="codebases:read",
        read=_codebases,
    ),
    Resource(
        address=uris.AGENTS,
        name="agents",
        title="Agents",
        description="The agents and workers that are there: the first hundred, by name.",
        permission="agents:read",
        read=_agents,
    ),
    Resource(
        address=uris.STATUS,
        name="status",
        title="Status",
        description="How many tasks, codebases and workers there are.",
        permission="tasks:read",
        read=_status,
    ),
)

TEMPLATES: Final = (
    Resource(
        address=f"{uris.CODEBASES}/{{codebase_id}}",
        name="codebase",
        title="A codebase",
        description="One codebase, by its id or unique name.",
        permission="codebases:read",
        read=_codebase,
    ),
    Resource(
        address="ct://tasks/{task_id}",
        name="task",
        title="A task",
        description="One task with all of its prompt, result and error.",
        permission="tasks:read",
        read=_task,
    ),
    Resource(
        address="ct://tasks/{task_id}/output",
        name="task_output",
        title="A task's output",
        description="The end of what a task has printed.",
        permission="tasks:read",
        read=_output,
        media_type="text/plain",
    ),
    Resource(
        address="ct://sessions/{session_id}",
        name="session",
        title="A session",
        description="The end of a conversation with an agent.",
        permission="sessions:read",
        read=_session,
        media_type="text/markdown",
    ),
    Resource(
        address=f"{uris.AGENTS}/{{agent}}/card",
        name="agent_card",
        title="An agent's card",
        description="What an agent says of itself.",
        permission="agents:read",
        read=_card,
    ),
)
