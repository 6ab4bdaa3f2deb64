"""Agents that can be discovered and written to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import Factory, field, frozen
from starlette.responses import Response

from codetether_adapters.http.call import Call
from codetether_adapters.http.resources import shapes
from codetether_adapters.http.resources.bounds import seconds
from codetether_adapters.http.responses import Json
from codetether_adapters.http.routing import Route
from codetether_core.access import given_url
from codetether_core.agents import EXPIRES_AFTER, Agent, Peer
from codetether_core.errors import Invalid
from codetether_core.ids import AgentName

__all__ = ["ROUTES", "RegisterAgent", "agent_name", "agent_view", "register"]

_LONGEST_NAME: Final = 200
_LONGEST_AGE: Final = 366 * 24 * 3600


@frozen
class RegisterAgent:
    """What an agent says of itself; the part of its name before the first ``:`` is its role.

    With ``card_url`` it is one elsewhere that speaks A2A: tasks that name it are given to it. The rest is read from
    its card; ``secret`` names the secret by which it knows us, and ``card_keys`` are the keys (a JWK set) of which one
    has to have signed the card.
    """

    name: str
    url: str = ""
    description: str = ""
    capabilities: Mapping[str, Any] = Factory(dict)
    models_supported: tuple[str, ...] = ()
    card_url: str | None = None
    secret: str | None = field(default=None, repr=False)
    card_keys: Mapping[str, Any] | None = None


@frozen
class DiscoverAgents:
    """Only agents of that role, heard within that time."""

    role: str | None = None
    max_age_seconds: float = EXPIRES_AFTER.total_seconds()


def agent_name(text: str, field: str = "name") -> AgentName:
    """The text as an agent's name; ``Invalid`` if no agent can be called that."""
    if not text.strip() or text in (".", "..") or len(text) > _LONGEST_NAME or not text.isprintable():
        raise Invalid(field, f"must have 1 to {_LONGEST_NAME} printable characters")
    return AgentName(text)


def agent_view(agent: Agent) -> dict[str, Any]:
    """An agent as JSON."""
    return {
        "name": agent.name,
        "role": agent.role,
        "instance_id": agent.instance or None,
        "url": agent.url,
        "description": agent.description,
        "capabilities": agent.capabilities,
        "models_supported": agent.models_supported,
        "peer": agent.peer and _peer_view(agent.peer),
        "registered_at": agent.registered_at,
        "last_seen": agent.last_seen,
    }


def _peer_view(peer: Peer) -> dict[str, Any]:
    return {
        "card_url": peer.card_url,
        "release": peer.dialect,
        "streams": peer.streams,
        "signed": peer.signed,
        "secret": peer.sign_in and peer.sign_in.secret,
        "read_at": peer.read_at,
    }


async def register(call: Call, told: RegisterAgent, field: str = "name") -> Agent:
    """Keep what an agent says of itself.

    A deployed worker tells the URL by which it reaches us, its token in it; everybody may read the directory.
    """
    name = agent_name(told.name, field)
    if told.card_url is not None:
        enlisted: Agent = await call.services.enlisting.enlist(
            call.principal,
            name,
            given_url("card_url", told.card_url),
            secret=told.secret,
            keys=told.card_keys,
            description=told.description,
        )
        return enlisted
    now = call.services.clock.now()
    agent = Agent(
        name=name,
        tenant=call.principal.tenant,
        principal=call.principal.name,
        registered_at=now,
        last_seen=now,
        url=given_url("url", told.url),
        description=told.description,
        capabilities=told.capabilities,
        models_supported=told.models_supported,
    )
    kept: Agent = await call.services.registration.add_agent(call.principal, agent)
    return kept


async def add(call: Call) -> Response:
    """Register."""
    agent = await register(call, await call.body(RegisterAgent))
    return Json({"success": True, "agent": agent_view(agent)})


async def hear(call: Call) -> Response:
    """Note a heartbeat."""
    agent = await call.services.registration.hear_agent(call.principal, AgentName(call.path["name"]))
    return Json({"success": True, "agent_name": agent.name, "last_seen": agent.last_seen})


async def discover(call: Call) -> Response:
    """The agents heard from recently."""
    query = call.query(DiscoverAgents)
    age = seconds("max_age_seconds", query.max_age_seconds, 1, _LONGEST_AGE)
    agents = await call.services.registration.discover(call.principal, max_age=age)
    found = [agent_view(agent) for agent in agents if query.role in (None, agent.role)]
    return Json({"agents": found, "count": len(found)})


async def show(call: Call) -> Response:
    """One agent, expired or not."""
    return Json(agent_view(await call.services.backend.directory.agents.get(call.principal.tenant, call.path["name"])))


async def remove(call: Call) -> Response:
    """Forget it."""
    await call.services.registration.remove_agent(call.principal, AgentName(call.path["name"]))
    return Json({"success": True})


ROUTES: Final = (
    Route(
        "POST",
        "/v1/agent/agents",
        add,
        "agents:write",
        summary="Register",
        answer=shapes.AgentAnswer,
        tag="agents",
        body=RegisterAgent,
        errors=(404, 501),
    ),
    Route(
        "POST",
        "/v1/agent/agents/register",
        add,
        "agents:write",
        summary="Register",
        answer=shapes.AgentAnswer,
        tag="agents",
        body=RegisterAgent,
        errors=(404, 501),
    ),
    Route(
        "POST",
        "/v1/agent/agents/{name}/heartbeat",
        hear,
        "agents:write",
        summary="Beat",
        answer=shapes.AgentBeat,
        tag="agents",
        errors=(404,),
    ),
    Route(
        "GET",
        "/v1/agent/agents",
        discover,
        "agents:read",
        summary="Discover",
        answer=shapes.Agents,
        tag="agents",
        query=DiscoverAgents,
    ),
    Route(
        "GET",
        "/v1/agent/agents/{name}",
        show,
        "agents:read",
        summary="One agent",
        answer=shapes.Agent,
        tag="agents",
        errors=(404,),
    ),
    Route(
        "DELETE",
        "/v1/agent/agents/{name}",
        remove,
        "agents:delete",
        summary="Forget",
        answer=shapes.Done,
        tag="agents",
        errors=(404,),
    ),
)
