"""The monitor's view: the log told as messages, counted and searched.

However long the history and its records, an answer has ``ANSWER_BYTES`` of them at most, and no more is in memory at
once than that and a page.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from attrs import frozen

from codetether_core.access import Principal
from codetether_core.events import Record, Topic
from codetether_core.ports import PAGE_BYTES, EventLog

__all__ = ["ANSWER_BYTES", "MESSAGE_KINDS", "Found", "MonitorMessage", "Monitoring", "told"]

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
    "approval.judged": "system",
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

ANSWER_BYTES: Final = 4 * 1024 * 1024
_LOOK_BACK: Final = 1_000_000
"""How far back a search looks, in positions of the log."""

_EXAMINED: Final = 32 * 1024 * 1024
"""How many bytes of records a search reads that have to be told first to be compared."""

_PAGE: Final = 256

_Fetch = Callable[[int | None], Awaitable[Sequence[Record]]]


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


@frozen
class Found:
    """Messages that match, oldest first; ``complete`` unless there may be more of them that were not looked for."""

    messages: Sequence[MonitorMessage]
    complete: bool


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
        case "approval.asked" | "approval.answered" | "approval.judged" | "approval.expired":
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
        """The latest messages, oldest first; fewer where they are long."""
        topic, kinds = Topic(principal.tenant), _kinds(type)

        async def latest(before: int | None) -> Sequence[Record]:
            return await self.log.latest(topic, kinds, min(limit, _PAGE), before=before, size=PAGE_BYTES)

        return (await _last(latest, lambda message: True, limit)).messages

    async def search(self, principal: Principal, text: str, *, limit: int = 100) -> Found:
        """The latest messages whose words or speaker contain the text, ignoring ASCII case, oldest first."""
        tenant, wanted = principal.tenant, _folded(text)
        start, head = await self.log.start(), await self.log.head()
        floor = max(start.position, head.position - _LOOK_BACK)

        async def spoken(before: int | None) -> Sequence[Record]:
            return await self.log.search(tenant, text, _VERBATIM, _PAGE, after=floor, before=before, size=PAGE_BYTES)

        async def composed(before: int | None) -> Sequence[Record]:
            return await self.log.latest(Topic(tenant), _COMPOSED, _PAGE, after=floor, before=before, size=PAGE_BYTES)

        def matches(message: MonitorMessage) -> bool:
            return wanted in _folded(message.content) or wanted in _folded(message.agent_name)

        parts = [await _last(fetch, matches, limit) for fetch in (spoken, composed)]
        found = sorted((each for part in parts for each in part.messages), key=lambda message: int(message.id))
        looked_at_all = floor == start.position or len(found) >= limit
        return Found(found[max(len(found) - limit, 0) :], looked_at_all and all(part.complete for part in parts))

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


async def _last(fetch: _Fetch, matches: Callable[[MonitorMessage], bool], limit: int) -> Found:
    """The latest ``limit`` messages that match, read back page by page until there are enough, or too many bytes."""
    found: list[MonitorMessage] = []
    size = examined = 0
    before: int | None = None
    while examined < _EXAMINED:
        records = await fetch(before)
        if not records:
            return Found(found[::-1], complete=True)
        before = records[0].position
        for record in reversed(records):
            examined += len(record.body)
            message = told(record)
            if not matches(message):
                continue
            size += len(record.body)
            if found and size > ANSWER_BYTES:
                return Found(found[::-1], complete=False)
            found.append(message)
            if len(found) == limit:
                return Found(found[::-1], complete=True)
    return Found(found[::-1], complete=False)


def _folded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass").lower()
