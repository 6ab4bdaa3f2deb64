"""Why a run of an agent failed, in words: whether it could be started at all, and how its process ended."""

from __future__ import annotations

import errno
import signal

import anyio

from codetether_adapters.agents.process import AgentNotStarted
from codetether_adapters.agents.templates import AgentTemplate
from codetether_core.ports import Run, RunFailed

__all__ = ["exit_text", "not_started", "require_directory"]


async def require_directory(run: Run) -> str:
    """Where the agent works; ``RunFailed`` if that is not here."""
    if run.directory is None or not await anyio.Path(run.directory).is_dir():
        raise RunFailed(
            f"The directory of the codebase does not exist on this worker: {run.directory or 'none given'}",
            "directory_missing",
        )
    return run.directory


def not_started(template: AgentTemplate, problem: AgentNotStarted) -> RunFailed:
    """The system refused to start the template's command."""
    name, program = template.name, template.command[0]
    match problem.errno:
        case errno.ENOENT:
            return RunFailed(
                f"The command {program!r} of the agent {name!r} was not found on this worker; "
                f"install it, or correct command under [agents.{name}] in the worker's configuration",
                "command_not_found",
            )
        case errno.E2BIG:
            return RunFailed(
                f'The prompt is too long for an argument; set prompt = "stdin" under [agents.{name}]',
                "prompt_too_large",
            )
        case _:
            return RunFailed(
                f"The command {program!r} of the agent {name!r} could not be started: {problem}",
                "command_not_started",
            )


def exit_text(status: int) -> str:
    """How a process ended."""
    if status >= 0:
        return f"Exit code: {status}"
    try:
        return f"Killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"Killed by signal {-status}"
