"""The agent that does nothing: for measuring everything around it."""

from __future__ import annotations

from codetether_core.ports import Ask, Emit, Run, RunOutcome

__all__ = ["NoopRunner"]


class NoopRunner:
    """Result: ``ok``."""

    async def run(self, run: Run, emit: Emit, ask: Ask) -> RunOutcome:
        """End well at once."""
        return RunOutcome(result="ok")
