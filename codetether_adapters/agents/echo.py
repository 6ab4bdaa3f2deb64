"""The agent that says what it was told: for trying a set-up out."""

from __future__ import annotations

from codetether_core.ports import Ask, Emit, Run, RunOutcome
from codetether_core.tasks import OutputChunk

__all__ = ["EchoRunner"]


class EchoRunner:
    """Result: the prompt, or the title of a task without one."""

    async def run(self, run: Run, emit: Emit, ask: Ask) -> RunOutcome:
        """Print the words and end well."""
        words = run.prompt or run.title
        await emit(OutputChunk(text=words))
        return RunOutcome(result=words)
