"""Sending a message, and waiting for or watching what comes of it."""

from __future__ import annotations

from typing import Any

from codetether_adapters.a2a.agent import Agent
from codetether_adapters.a2a.following import Frames, follow, known_records
from codetether_adapters.a2a.operations.delivering import deliver
from codetether_adapters.a2a.place import Place
from codetether_adapters.a2a.request import Request
from codetether_adapters.a2a.telling import answer_of
from codetether_adapters.a2a.views import view
from codetether_adapters.a2a.waiting import settled
from codetether_adapters.a2a_wire.dialect import Dialect
from codetether_adapters.a2a_wire.values import SendMessage

__all__ = ["send", "stream"]


async def send(agent: Agent, request: Request, dialect: Dialect, params: Any) -> Any:
    """The task, as soon as it has ended or asks something, or at once; a mere answer, where that is all there is."""
    asked = dialect.parse(SendMessage, params)
    task = (await deliver(agent, request, asked, dialect.name)).task
    if not asked.configuration.return_immediately:
        task = await settled(agent, request, task)
    shown = await view(agent, request, task, history_length=asked.configuration.history_length)
    if asked.message.task_id or asked.configuration.push_config:  # who knows of the task, or is told of it, wants it
        return dialect.sent(shown)
    return dialect.sent(answer_of(task, shown) or shown)


async def stream(agent: Agent, request: Request, dialect: Dialect, params: Any) -> Frames:
    """The task and what happens to it, until it has ended or asks something.

    Whoever sends a message again, with its key, may go on where it was cut, or begins with the task as it stands now.
    """
    asked = dialect.parse(SendMessage, params)
    after = Place.parse(request.last_event_id) if request.key and request.last_event_id else None
    delivered = await deliver(agent, request, asked, dialect.name)
    task, known = delivered.task, delivered.known if after is None else 0
    if request.key and after is None and not known:  # it may have met a task that has a history
        known = await known_records(agent, task)
        task = await agent.task(request.principal, task.id)
    return follow(agent, request, dialect, task, known=known, after=after, stays=False)
