"""Who is there: registered workers and agents."""

from __future__ import annotations

from typing import Protocol

from codetether_core.agents import Agent
from codetether_core.ports.record_store import RecordStore
from codetether_core.workers import Worker

__all__ = ["Directory"]


class Directory(Protocol):
    """The two registries."""

    @property
    def workers(self) -> RecordStore[Worker]:
        """Workers by id."""
        ...

    @property
    def agents(self) -> RecordStore[Agent]:
        """Agents by name."""
        ...
