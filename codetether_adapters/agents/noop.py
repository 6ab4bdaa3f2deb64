"""The agent that does nothing: for measuring everything around it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from codetether_core.ports import Run, RunOutcome
from codetether_core.tasks import OutputChunk

__all__ = ["NoopRunner"]


class NoopRunner:
    """Result: ``ok``."""

    async def run(self, run: Run, emit: Callable[[OutputChunk], Awaitable[None]]) -> RunOutcome:
        """End well at once."""
        return RunOutcome(result="ok")
