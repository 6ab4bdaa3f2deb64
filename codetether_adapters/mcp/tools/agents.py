"""Agents and workers: who is there, and a word to one."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from codetether_adapters.mcp.arguments import argument
from codetether_adapters.mcp.caller import Exchange
from codetether_adapters.mcp.clipping import WORDS, clipped
from codetether_adapters.mcp.hub import Hub
from codetether_adapters.mcp.paging import sorted_page
from codetether_adapters.mcp.results import AgentRow, Agents, Sent
from codetether_adapters.mcp.tool import ADDS, LOOKS, Tool
from codetether_core.agents import Agent, discoverable
from codetether_core.ids import AgentName
from codetether_core.workers import Presence, Worker, presence

__all__ = ["LIST_AGENTS", "SEND_MESSAGE"]

_SKILLS: Final = 50


@frozen(kw_only=True)
class ListAgents:
    query: str | None = argument("Only those with this in their name or description.", None, longest=200)
    skill: str | None = argument("Only those that have this skill.", None, longest=200)
    online_only: bool = argument("Leave out those that were not heard from lately.", True)
    limit: int = argument("How many at most.", 20, least=1, most=100)
    cursor: str | None = argument("next_cursor of the page before.", None, longest=2000)


@frozen(kw_only=True)
class SendMessage:
    agent: str = argument("An agent's name or role, or a worker's name or id.", shortest=1, longest=200)
    text: str = argument("What to say.", shortest=1)
    context_id: str | None = argument("The conversation that it belongs to, if there is one.", None, longest=500)


async def find(hub: Hub, exchange: Exchange, asked: ListAgents) -> Agents:
    """A page, by name."""
    directory, tenant = hub.services.backend.directory, exchange.principal.tenant
    now = hub.services.clock.now()
    rows = [_of_agent(each, online=discoverable(each, now)) for each in await directory.agents.list(tenant)]
    rows += [
        _of_worker(each, online=presence(each, now) is Presence.ACTIVE) for each in await directory.workers.list(tenant)
    ]
    wanted = (asked.query or "").casefold()
    found = [
        row
        for row in rows
        if (row.online or not asked.online_only)
        and (asked.skill is None or asked.skill in row.skills)
        and (wanted in row.name.casefold() or wanted in row.description.casefold())
    ]
    items, following = await sorted_page(
        found, lambda row: (row.name.casefold(), row.kind, row.name), lambda row: row, asked.limit, asked.cursor
    )
    return Agents(items=items, next_cursor=following)


async def send(hub: Hub, exchange: Exchange, asked: SendMessage) -> Sent:
    """Into its inbox."""
    kept = await hub.services.messaging.send(
        exchange.principal, recipient=AgentName(asked.agent), body=asked.text, conversation=asked.context_id
    )
    return Sent(kind="message", message_id=kept.id, agent=kept.recipient, context_id=kept.conversation)


def _of_agent(agent: Agent, *, online: bool) -> AgentRow:
    models = (f"model:{model}" for model in agent.models_supported)
    return AgentRow(
        name=agent.name,
        kind="agent",
        description=clipped(agent.description, WORDS // 10),
        skills=tuple(clipped(each) for each in (agent.role, *models))[:_SKILLS],
        online=online,
        last_seen_at=agent.last_seen,
    )


def _of_worker(worker: Worker, *, online: bool) -> AgentRow:
    return AgentRow(
        name=worker.name,
        kind="worker",
        description=f"Worker {clipped(worker.id)}" + (f" on {clipped(worker.hostname)}" if worker.hostname else ""),
        skills=tuple(clipped(each) for each in (*worker.agents, *worker.capabilities))[:_SKILLS],
        online=online,
        last_seen_at=worker.last_seen,
    )


LIST_AGENTS: Final = Tool(
    name="list_agents",
    title="List agents",
    description="List the agents and workers that are there, with what they can do. Any can be written to.",
    permission="agents:read",
    arguments=ListAgents,
    result=Agents,
    hints=LOOKS,
    run=find,
)

SEND_MESSAGE: Final = Tool(
    name="send_message",
    title="Send a message to an agent",
    description=(
        "Put a message into an agent's inbox, where it stays until the agent has read it. To have something done use"
        " create_task instead."
    ),
    permission="messages:write",
    arguments=SendMessage,
    result=Sent,
    hints=ADDS,
    run=send,
)
