"""What this worker tells of itself: the directories that it has, and what it can do in them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import define, field

from codetether_adapters.client import AsyncClient, TaskView
from codetether_apps.settings import GivenCodebase
from codetether_apps.working.abilities import abilities_of
from codetether_apps.working.kept_codebases import KeptCodebases
from codetether_core.ids import CodebaseId
from codetether_core.ports import Runner
from codetether_core.tasks import ANYWHERE

__all__ = ["Registration"]


@define(eq=False, kw_only=True)
class Registration:
    """One worker's registration; said again on every connection, for the server may be another, or have forgotten.

    ``codebases`` are the configured ones, ``kept`` those that tasks have added.
    """

    client: AsyncClient
    worker_id: str
    name: str
    slots: int
    capabilities: tuple[str, ...]
    agents: tuple[str, ...]
    codebases: Sequence[GivenCodebase]
    kept: KeptCodebases
    _added: list[GivenCodebase] = field(init=False)
    _directories: dict[CodebaseId, Path] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        self._added = self.kept.read()

    @property
    def ids(self) -> tuple[CodebaseId, ...]:
        """The codebases that the server knows us to have."""
        return tuple(self._directories)

    async def learn(self, agents: Mapping[str, Runner]) -> None:
        """Find out what the agents can do, which is among the capabilities from then on."""
        self.capabilities = tuple(dict.fromkeys((*self.capabilities, *await abilities_of(agents))))

    async def announce(self) -> None:
        """Register the codebases, then ourselves."""
        directories: dict[CodebaseId, Path] = {}
        for codebase in (*self.codebases, *self._added):
            told = await self.client.worker.add_codebase(codebase.name, str(codebase.path), worker_id=self.worker_id)
            directories[told.id] = codebase.path
        self._directories = directories
        await self._tell()

    async def add(self, name: str, path: str, description: str, agent_config: Mapping[str, Any]) -> CodebaseId:
        """Offer one more directory, from now on and in this worker's next lives."""
        told = await self.client.worker.add_codebase(
            name, path, worker_id=self.worker_id, description=description, agent_config=agent_config
        )
        if told.id not in self._directories:
            self._added.append(GivenCodebase(name, Path(path)))
            await asyncio.to_thread(self.kept.write, self._added)
            self._directories[told.id] = Path(path)
            await self._tell()
        return told.id

    def directory(self, task: TaskView) -> Path | None:
        """Where the task's codebase is; ``None`` for a task without one."""
        return self._directories.get(task.codebase_id)

    def takes(self, task: TaskView) -> bool:
        """Whether the task is for us, as far as we can tell."""
        return (
            task.agent_type in self.agents
            and (task.codebase_id in ANYWHERE or task.codebase_id in self._directories)
            and task.target_worker_id in (None, self.worker_id)
            and task.target_agent_name in (None, self.name)
            and set(task.required_capabilities).issubset(self.capabilities)
        )

    async def _tell(self) -> None:
        await self.client.worker.register(
            self.worker_id,
            self.name,
            capabilities=self.capabilities,
            agents=self.agents,
            codebases=self.ids,
            hostname=socket.gethostname(),
            slots=self.slots,
        )
