"""One log, one cursor: events, their topics, and a reader's place among them."""

from codetether_core.events.cursor import Cursor
from codetether_core.events.event import Event, Guard, HeadSwap, OutputHead, Page, Record
from codetether_core.events.topic import AGENTS, AUDIT, CODEBASES, CREDENTIALS, READY, WORKERS, Topic

__all__ = [
    "AGENTS",
    "AUDIT",
    "CODEBASES",
    "CREDENTIALS",
    "READY",
    "WORKERS",
    "Cursor",
    "Event",
    "Guard",
    "HeadSwap",
    "OutputHead",
    "Page",
    "Record",
    "Topic",
]
