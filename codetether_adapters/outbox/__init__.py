"""The worker's outbox: the outcome of a run is on its disk before anybody is told."""

from codetether_adapters.outbox.outbox import Entry, Outbox, OutboxFull
from codetether_adapters.outbox.report import TEXT_BYTES, Report

__all__ = ["TEXT_BYTES", "Entry", "Outbox", "OutboxFull", "Report"]
