"""The monitor's view: the log told as messages, counted and searched."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from attrs import frozen

from codetether_core.access import Principal
from codetether_core.events import Record, Topic
from codetether_core.ports import EventLog

__all__ = ["MESSAGE_KINDS", "MonitorMessage", "Monitoring", "told"]

_TYPES: Final[Mapping[str, str]] = {
    "task.created": "system",
    "task.status": "system",
    "task.completed": "system",
    "task.cancelled": "system",
    "task.failed": "error",
    "task.output": "agent",
    "task.file_change": "tool",
    "task.tool_use": "tool",
    "approval.asked": "agent",
    "approval.answered": "human",
    "approval.expired": "system",
    "message.sent": "agent",
    "message.intervened": "human",
    "codebase.registered": "system",
    "worker.registered": "system",
    "agent.registered": "system",
}

MESSAGE_KINDS: Final = tuple(_TYPES)

_VERBATIM: Final = ("task.output", "task.tool_use", "task.file_change", "message.sent", "message.intervened")
"""The kinds, by far the most frequent, whose words all stand in the record's body as they are."""
_COMPOSED: Final = tuple(kind for kind in _TYPES if kind not in _VERBATIM)
_FIRST_LOOK: Final = 256

_Fetch = Callable[[int], Awaitable[Sequence[Record]]]


@frozen(kw_only=True)
class MonitorMessage:
    """One line of the monitor. ``type`` is agent, human, system, tool or error; ``id`` is its place in the log."""

    id: str
    timestamp: datetime
    type: str
    agent_name: str
    content: str
    metadata: Mapping[str, Any]
    response_time: float | None = None
    tokens: int | None = None
    error: str | None = None


def told(record: Record) -> MonitorMessage:
    """A record of one of ``MESSAGE_KINDS`` as a message."""
    data: dict[str, Any] = json.loads(record.body)
    name, content = _words(record.kind, data)
    return MonitorMessage(
        id=str(record.position),
        timestamp=record.at,
        type=_TYPES[record.kind],
        agent_name=name,
        content=content,
        metadata=data,
        error=data.get("error") if record.kind == "task.failed" else None,
    )


def _words(kind: str, data: Mapping[str, Any]) -> tuple[str, str]:
    """Who is said to speak, and what."""
    match kind:
        case "task.created":
            return "Task Manager", f"Task created: {data['title']}"
        case "task.status" | "task.completed" | "task.cancelled" | "task.failed":
            return "Task Manager", f"Task '{data['title']}' status: {data['status']}"
        case "task.output" | "task.tool_use" | "task.file_change":
            return data["worker_id"], data["output"]
        case "approval.asked" | "approval.answered" | "approval.expired":
            return data.get("answered_by") or "Agent", f"{data['prompt']}: {data.get('choice') or data['state']}"
        case "message.sent" | "message.intervened":
            return data["from_agent"], data["message"]
        case "worker.registered":
            return "Worker Registry", f"Worker registered: {data['name']}"
        case "agent.registered":
            return data["agent_name"], f"Agent registered: {data['agent_name']}"
        case _:
            return "Codebase Registry", f"Codebase registered: {data['name']}"


@frozen
class Monitoring:
    """Reading the log as messages."""

    log: EventLog

    async def messages(self, principal: Principal, *, type: str = "", limit: int = 100) -> Sequence[MonitorMessage]:
        """The latest messages, oldest first."""
        records = await self.log.latest(Topic(principal.tenant), _kinds(type), limit)
        return [told(record) for record in records]

    async def search(self, principal: Principal, text: str, *, limit: int = 100) -> Sequence[MonitorMessage]:
        """The latest messages whose words or speaker contain the text, ignoring ASCII case, oldest first."""
        topic, wanted = Topic(principal.tenant), _folded(text)

        async def spoken(count: int) -> Sequence[Record]:
            return await self.log.search(principal.tenant, text, _VERBATIM, count)

        async def composed(count: int) -> Sequence[Record]:
            return await self.log.latest(topic, _COMPOSED, count)

        found = [*await _matching(spoken, wanted, limit), *await _matching(composed, wanted, limit)]
        found.sort(key=lambda message: int(message.id))
        return found[max(len(found) - limit, 0) :]

    async def count(self, principal: Principal, *, type: str = "") -> int:
        """How many messages there are."""
        return await self.log.count(Topic(principal.tenant), _kinds(type))

    async def stats(self, principal: Principal) -> Mapping[str, int]:
        """How many messages, tool uses, errors and human words the log holds."""
        topic = Topic(principal.tenant)
        return {
            "total_messages": await self.log.count(topic, MESSAGE_KINDS),
            "tool_calls": await self.log.count(topic, _kinds("tool")),
            "errors": await self.log.count(topic, _kinds("error")),
            "interventions": await self.log.count(topic, _kinds("human")),
        }


def _kinds(type: str) -> tuple[str, ...]:
    """The kinds whose records are messages of a type; of any type, if none is named."""
    return tuple(kind for kind, known in _TYPES.items() if type in ("", known))


async def _matching(fetch: _Fetch, wanted: bytes, limit: int) -> list[MonitorMessage]:
    """The latest ``limit`` messages that match, of however many records that takes."""
    look = max(limit, _FIRST_LOOK)
    while True:
        records = await fetch(look)
        found = [
            message
            for message in map(told, records)
            if wanted in _folded(message.content) or wanted in _folded(message.agent_name)
        ]
        if len(found) >= limit or len(records) < look:
            return found
        look *= 4


def _folded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass").lower()
