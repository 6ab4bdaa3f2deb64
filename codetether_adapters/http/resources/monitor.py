"""The monitor: who is there, what was said and done, and a word in between.

Messages are the log's records told in words; their ids are places in the log, so they never collide. Whoever is not
heard from for two minutes is no longer shown.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from attrs import frozen
from starlette.responses import Response

from codetether_adapters.http.call import Call
from codetether_adapters.http.resources import shapes
from codetether_adapters.http.resources.agents import agent_name
from codetether_adapters.http.resources.bounds import within
from codetether_adapters.http.resources.models import models
from codetether_adapters.http.resources.workers import ListWorkers, listed
from codetether_adapters.http.responses import Json
from codetether_adapters.http.routing import Route
from codetether_core.agents import EXPIRES_AFTER, discoverable
from codetether_core.errors import Invalid
from codetether_core.events import Topic
from codetether_core.ids import AgentName
from codetether_core.ports import TaskOrder, TaskQuery
from codetether_core.services import MonitorMessage
from codetether_core.tasks import TaskState
from codetether_core.workers import Presence, presence

__all__ = ["ROUTES", "stats_of"]

_MAIL: Final = ("message.sent", "message.intervened")
_SAMPLE: Final = 100


class MessageType(StrEnum):
    """Who speaks, roughly."""

    AGENT = "agent"
    HUMAN = "human"
    SYSTEM = "system"
    TOOL = "tool"
    ERROR = "error"


@frozen
class ReadMessages:
    """The last messages, of one type or of all; ``use_cache`` of deployed pages says nothing here."""

    limit: int = 100
    type: MessageType | None = None


@frozen
class SearchMessages:
    """Messages whose words or speaker contain ``q``, ignoring the case of ASCII letters."""

    q: str
    limit: int = 100


@frozen
class CountMessages:
    """All messages, or those of one type."""

    type: MessageType | None = None


@frozen
class Intervene:
    """A human's word. ``agent_id`` is an agent's name or role, or a worker's id or name."""

    agent_id: str
    message: str
    timestamp: datetime | None = None


async def agents(call: Call) -> Response:
    """Agents and workers heard from in the last two minutes."""
    services, tenant, now = call.services, call.principal.tenant, call.services.clock.now()
    found: dict[str, dict[str, Any]] = {}
    for worker in await services.backend.directory.workers.list(tenant):
        there = presence(worker, now)
        if there is not Presence.LEFT and now - worker.last_seen < EXPIRES_AFTER:
            seen = {"status": there, "last_seen": worker.last_seen}
            found[worker.id] = {"id": worker.id, "name": worker.name, "kind": "worker", **seen}
    for agent in await services.backend.directory.agents.list(tenant):
        if discoverable(agent, now):
            seen = {"status": Presence.ACTIVE, "last_seen": agent.last_seen}
            found[agent.name] = {"id": agent.name, "name": agent.name, "kind": "agent", **seen}
    for id, entry in found.items():
        mail = Topic.agent(tenant, AgentName(id))
        entry["messages_count"] = await services.backend.log.count(mail, _MAIL)
    return Json([found[id] for id in sorted(found)])


async def messages(call: Call) -> Response:
    """The last messages, oldest first; fewer than asked for where they have more than 4 MiB together."""
    query = call.query(ReadMessages)
    limit = within("limit", query.limit, 1, 1000)
    return Json(await call.services.monitoring.messages(call.principal, type=query.type or "", limit=limit))


async def search(call: Call) -> Response:
    """The last messages that match, oldest first.

    A search looks at the last million entries of the log, and its answer has a few MiB at most: ``complete`` is false
    where there may be more matches than these.
    """
    query = call.query(SearchMessages)
    if not query.q:
        raise Invalid("q", "must not be empty")
    limit = within("limit", query.limit, 1, 1000)
    found = await call.services.monitoring.search(call.principal, query.q, limit=limit)
    count = len(found.messages)
    return Json({"query": query.q, "results": found.messages, "count": count, "complete": found.complete})


async def count(call: Call) -> Response:
    """How many messages there are."""
    type = call.query(CountMessages).type
    total = await call.services.monitoring.count(call.principal, type=type or "")
    return Json({"total": total, "type_filter": type})


async def stats(call: Call) -> Response:
    """Figures for the page's tiles."""
    return Json(await stats_of(call))


async def stats_of(call: Call) -> dict[str, Any]:
    """``avg_response_time`` is that of the last completed tasks, in seconds; nobody tells us of ``tokens``."""
    services, tenant, now = call.services, call.principal.tenant, call.services.clock.now()
    known = await services.backend.directory.agents.list(tenant)
    workers = await services.backend.directory.workers.list(tenant)
    query = TaskQuery(states=frozenset({TaskState.COMPLETED}), order=TaskOrder.NEWEST, limit=_SAMPLE)
    took = [
        (task.ended_at - task.created_at).total_seconds()
        for task in await services.backend.tasks.list(tenant, query)
        if task.ended_at
    ]
    return {
        **await services.monitoring.stats(call.principal),
        "tokens": None,
        "avg_response_time": sum(took) / len(took) if took else None,
        "active_agents": sum(discoverable(agent, now) for agent in known)
        + sum(presence(worker, now) is Presence.ACTIVE for worker in workers),
    }


async def intervene(call: Call) -> Response:
    """Put a human's word into an agent's inbox."""
    asked = await call.body(Intervene)
    recipient = agent_name(asked.agent_id, "agent_id")
    if not asked.message:
        raise Invalid("message", "must not be empty")
    kept = await call.services.messaging.send(call.principal, recipient=recipient, body=asked.message, human=True)
    intervention = {
        "agent_id": recipient,
        "message": kept.body,
        "timestamp": asked.timestamp or kept.sent_at,
        "message_id": kept.id,
    }
    return Json({"success": True, "intervention": intervention})


_AT: Final = "/v1/monitor"
ROUTES: Final = (
    Route(
        "GET",
        f"{_AT}/agents",
        agents,
        "monitor:read",
        summary="Who is there",
        answer=list[shapes.MonitorAgent],
        tag="monitor",
    ),
    Route(
        "GET",
        f"{_AT}/messages",
        messages,
        "monitor:read",
        summary="The last",
        answer=list[MonitorMessage],
        tag="monitor",
        query=ReadMessages,
    ),
    Route(
        "GET",
        f"{_AT}/messages/search",
        search,
        "monitor:read",
        summary="Messages that match",
        answer=shapes.MonitorFound,
        tag="monitor",
        query=SearchMessages,
        errors=(501,),
    ),
    Route(
        "GET",
        f"{_AT}/messages/count",
        count,
        "monitor:read",
        summary="How many messages",
        answer=shapes.MonitorCount,
        tag="monitor",
        query=CountMessages,
    ),
    Route("GET", f"{_AT}/stats", stats, "monitor:read", summary="Figures", answer=shapes.MonitorStats, tag="monitor"),
    Route(
        "POST",
        f"{_AT}/intervene",
        intervene,
        "messages:intervene",
        summary="A human's word to an agent",
        answer=shapes.MonitorIntervened,
        tag="monitor",
        body=Intervene,
        errors=(404,),
    ),
    Route(
        "GET",
        f"{_AT}/workers",
        listed,
        "workers:read",
        summary="Workers",
        answer=list[shapes.Worker],
        tag="monitor",
        query=ListWorkers,
    ),
    Route(
        "GET",
        f"{_AT}/models",
        models,
        "workers:read",
        summary="Models of present workers",
        answer=shapes.Models,
        tag="monitor",
    ),
)
