"""What the argument of a prompt, or the part of an address that varies, may be."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final, TypeAlias

from codetether_adapters.mcp.caller import Exchange
from codetether_adapters.mcp.hub import Hub
from codetether_core.ports import SessionQuery, TaskOrder, TaskQuery

__all__ = ["MOST", "completed", "permission_to_complete"]

MOST: Final = 100
_LOOKED_AT: Final = 500

_Values: TypeAlias = Callable[[Hub, Exchange, Mapping[str, str]], Awaitable[Iterable[str]]]


async def completed(
    hub: Hub, exchange: Exchange, name: str, value: str, context: Mapping[str, str]
) -> tuple[list[str], int]:
    """Those that begin like the value, whatever its case, the first hundred of them, and how many there are."""
    if name not in _VALUES:
        return [], 0
    begun = value.casefold()
    every = dict.fromkeys(each for each in await _VALUES[name][1](hub, exchange, context))
    found = [each for each in every if each.casefold().startswith(begun)]
    return found[:MOST], len(found)


def permission_to_complete(name: str) -> str | None:
    """What the caller needs to be told values of an argument of that name."""
    return _VALUES[name][0] if name in _VALUES else None


async def _codebase_names(hub: Hub, exchange: Exchange, context: Mapping[str, str]) -> Iterable[str]:
    found = await hub.services.backend.codebases.list(exchange.principal.tenant)
    return [*sorted(each.name for each in found), *sorted(each.id for each in found)]


async def _codebase_ids(hub: Hub, exchange: Exchange, context: Mapping[str, str]) -> Iterable[str]:
    return sorted(each.id for each in await hub.services.backend.codebases.list(exchange.principal.tenant))


async def _tasks(hub: Hub, exchange: Exchange, context: Mapping[str, str]) -> Iterable[str]:
    reach = await hub.reach(exchange.principal)
    whose = None if reach.everybody else reach.name
    query = TaskQuery(created_by=whose, order=TaskOrder.CHANGED, limit=_LOOKED_AT)
    return [task.id for task in await hub.services.backend.tasks.list(exchange.principal.tenant, query)]


async def _sessions(hub: Hub, exchange: Exchange, context: Mapping[str, str]) -> Iterable[str]:
    place = await hub.place(exchange, context["codebase"]) if context.get("codebase") else None
    query = SessionQuery(codebase=place, limit=_LOOKED_AT)
    found, _ = await hub.services.backend.sessions.list(exchange.principal.tenant, query)
    return [session.id for session in found]


async def _agents(hub: Hub, exchange: Exchange, context: Mapping[str, str]) -> Iterable[str]:
    return sorted(each.name for each in await hub.services.backend.directory.agents.list(exchange.principal.tenant))


async def _types(hub: Hub, exchange: Exchange, context: Mapping[str, str]) -> Iterable[str]:
    workers = await hub.services.backend.directory.workers.list(exchange.principal.tenant)
    return sorted({hub.default_agent, *(type for worker in workers for type in worker.agents)})


_VALUES: Final[Mapping[str, tuple[str, _Values]]] = {
    "agent": ("agents:read", _agents),
    "agent_type": ("workers:read", _types),
    "codebase": ("codebases:read", _codebase_names),
    "codebase_id": ("codebases:read", _codebase_ids),
    "session_id": ("sessions:read", _sessions),
    "task_id": ("tasks:read", _tasks),
}
