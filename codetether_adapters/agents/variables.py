"""What a run is, as its agent finds it in its environment."""

from __future__ import annotations

from collections.abc import Mapping

from codetether_core.ports import Run

__all__ = ["variables_of"]


def variables_of(run: Run) -> Mapping[str, str]:
    """The secrets that it needs, its task, where it leaves files, and where it finds tools."""
    named = {
        "CODETETHER_TASK_ID": run.task,
        "CODETETHER_ARTIFACTS": run.artifacts,
        "CODETETHER_MCP_URL": run.tools and run.tools.url,
        "CODETETHER_MCP_TOKEN": run.tools and run.tools.token,
    }
    return {**run.environment, **{name: value for name, value in named.items() if value}}
