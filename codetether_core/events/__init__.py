"""One log, one cursor: events, their topics, and a reader's place among them."""

from codetether_core.events.cursor import Cursor
from codetether_core.events.erasing import ERASING_KINDS, SESSION_ERASED, TASK_ERASED, erased_by, erased_under
from codetether_core.events.event import Event, Guard, HeadSwap, OutputHead, Page, Record
from codetether_core.events.topic import AGENTS, AUDIT, CODEBASES, CREDENTIALS, READY, WORKERS, Topic

__all__ = [
    "AGENTS",
    "AUDIT",
    "CODEBASES",
    "CREDENTIALS",
    "ERASING_KINDS",
    "READY",
    "SESSION_ERASED",
    "TASK_ERASED",
    "WORKERS",
    "Cursor",
    "Event",
    "Guard",
    "HeadSwap",
    "OutputHead",
    "Page",
    "Record",
    "Topic",
    "erased_by",
    "erased_under",
]
