"""The monitor, as answered."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

from codetether_core.services import MonitorMessage
from codetether_core.workers import Presence

__all__ = ["MonitorAgent", "MonitorCount", "MonitorExport", "MonitorFound", "MonitorIntervened", "MonitorStats"]


@frozen(kw_only=True)
class MonitorAgent:
    """An agent or a worker (``kind``), and how many messages went to it."""

    id: str
    name: str
    kind: str
    status: Presence
    last_seen: datetime
    messages_count: int


@frozen(kw_only=True)
class MonitorFound:
    """The messages that match, oldest first; ``complete`` is false where the search was cut before the limit."""

    query: str
    results: tuple[MonitorMessage, ...]
    count: int
    complete: bool


@frozen(kw_only=True)
class MonitorCount:
    """How many messages there are, of one type or of all."""

    total: int
    type_filter: str | None


@frozen(kw_only=True)
class MonitorStats:
    """Figures. ``avg_response_time`` is that of the last completed tasks, in seconds."""

    total_messages: int
    tool_calls: int
    errors: int
    interventions: int
    tokens: int | None
    avg_response_time: float | None
    active_agents: int


@frozen(kw_only=True)
class Intervention:
    """A human's word, as it was put into an inbox."""

    agent_id: str
    message: str
    timestamp: datetime
    message_id: str


@frozen(kw_only=True)
class MonitorIntervened:
    """The word is in the agent's inbox."""

    success: bool
    intervention: Intervention


@frozen(kw_only=True)
class MonitorExport:
    """Figures and messages, oldest first."""

    export_date: datetime
    total_in_database: int
    stats: MonitorStats
    messages: tuple[MonitorMessage, ...]
    message_count: int
