"""The agent that offers one more of this machine's directories as a codebase."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import anyio

from codetether_core.errors import CodeTetherError
from codetether_core.ids import CodebaseId
from codetether_core.ports import Ask, Emit, Run, RunFailed, RunOutcome

__all__ = ["Register", "RegisterCodebaseRunner"]


class Register(Protocol):
    """Tells the server that this worker has the directory; the id of the codebase, new or not."""

    async def __call__(self, name: str, path: str, description: str, agent_config: Mapping[str, Any]) -> CodebaseId: ...


class RegisterCodebaseRunner:
    """Result: a sentence with the codebase's id.

    Reads ``name``, ``path``, ``description`` and ``agent_config`` from the task's metadata. The directory must be one
    of ``roots``, or within one, links followed.
    """

    def __init__(self, register: Register, roots: Sequence[Path]) -> None:
        self._register = register
        self._roots = roots

    async def run(self, run: Run, emit: Emit, ask: Ask) -> RunOutcome:
        """Register the directory; ``RunFailed`` where it is not here, or the server refuses."""
        path = await _directory(run.metadata)
        await self._permit(path)
        name = _text(run.metadata, "name") or Path(path).name or path
        agent_config = run.metadata.get("agent_config") or {}
        if not isinstance(agent_config, Mapping):
            raise RunFailed("metadata.agent_config must be an object", "invalid_task")
        try:
            codebase = await self._register(name, path, _text(run.metadata, "description"), agent_config)
        except CodeTetherError as error:
            raise RunFailed(f"The server did not register {name!r}: {error.message}", error.code) from error
        return RunOutcome(result=f"Registered codebase {name!r} at {path} with id {codebase}")

    async def _permit(self, path: str) -> None:
        real = await anyio.Path(path).resolve()
        for root in self._roots:
            if real.is_relative_to(await anyio.Path(root).resolve()):
                return
        roots = ", ".join(map(str, self._roots)) or "no directory"
        raise RunFailed(
            f"Tasks may register codebases on this worker below {roots}, and {real} is not; its owner may allow more "
            "with worker.roots",
            "outside_roots",
        )


async def _directory(metadata: Mapping[str, Any]) -> str:
    given = _text(metadata, "path")
    if not given or "\0" in given:
        raise RunFailed("metadata.path must name a directory of the worker", "invalid_task")
    try:
        path = await anyio.Path(given).expanduser()
    except RuntimeError:  # the home of a user who does not exist
        path = anyio.Path(given)
    if not path.is_absolute() or not await path.is_dir():
        raise RunFailed(f"No directory of this worker (an absolute path is needed): {given}", "directory_missing")
    return str(path)


def _text(metadata: Mapping[str, Any], member: str) -> str:
    value = metadata.get(member) or ""
    if not isinstance(value, str):
        raise RunFailed(f"metadata.{member} must be a string", "invalid_task")
    return value.strip()
