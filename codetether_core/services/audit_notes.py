"""What the trail says of an event: who did it, to what, and as much of it as nobody need be afraid to keep for ever."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from attrs import frozen

from codetether_core import codec
from codetether_core.audit import Actor, AuditRecord, Outcome
from codetether_core.events import AUDIT, Event, Topic
from codetether_core.ids import new_id
from codetether_core.ports import Clock, Entropy

__all__ = ["Notes", "event_of", "note_of"]

_KEPT: Final = (
    "agent_type",
    "answered_by",
    "asked_by_rule",
    "attempt",
    "by",
    "choice",
    "codebase_id",
    "conversation_id",
    "from_agent",
    "hostname",
    "messages",
    "name",
    "owner",
    "path",
    "previous",
    "priority",
    "roles",
    "session_id",
    "status",
    "task_id",
    "to_agent",
    "worker_id",
    "wrapped_by",
)
"""Members of events that say what happened; what was said to or by an agent is none of them."""

_LONGEST: Final = 300


@frozen
class Notes:
    """Makes the records of events."""

    clock: Clock
    entropy: Entropy

    def of(self, events: Sequence[Event], actor: Actor) -> list[Event]:
        """The records of these events, to be written with them."""
        now = self.clock.now()
        return [event_of(note_of(event, actor, self.id(), now)) for event in events]

    def id(self) -> str:
        """A new record's."""
        return new_id("aud", self.clock.now(), self.entropy.bytes(16))


def note_of(event: Event, actor: Actor, id: str, now: datetime) -> AuditRecord:
    """The record of an event that somebody brought about."""
    what = event.kind.partition(".")[0]
    said: Mapping[str, Any] = event.data
    named = f"{what}_id"
    metadata = {name: _kept(said[name]) for name in _KEPT if name != named and said.get(name) is not None}
    if actor.request_id:
        metadata["request_id"] = actor.request_id
    return AuditRecord(
        id=id,
        timestamp=now,
        actor=actor.name,
        action=event.kind,
        resource=f"{what}/{said.get(named) or event.topic.subject}",
        outcome=Outcome.SUCCESS,
        tenant=event.topic.tenant,
        metadata=metadata,
        ip=actor.ip,
        session_id=actor.session_id,
    )


def _kept(value: Any) -> Any:
    """No more of a text than tells what happened."""
    return value[:_LONGEST] if isinstance(value, str) else value


def event_of(record: AuditRecord) -> Event:
    """The record on its way into a store."""
    return Event(Topic(record.tenant, AUDIT), record.action, record.timestamp, codec.dump(record))
