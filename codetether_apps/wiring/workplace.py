"""Settings to a worker's parts: its connection, its own records on this machine, and the agents that it can run."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal, cast
from urllib.parse import quote

from attrs import frozen

from codetether_adapters.agents import (
    CommandRunner,
    CommandTemplate,
    EchoRunner,
    NoopRunner,
    Register,
    RegisterCodebaseRunner,
)
from codetether_adapters.client import AsyncClient, silence_retries
from codetether_adapters.outbox import Outbox
from codetether_adapters.system import CheckoutLocks, SystemClock, SystemEntropy
from codetether_apps.settings import AgentTemplate, Settings
from codetether_apps.wiring.credentials import client_token
from codetether_core.errors import Unavailable
from codetether_core.ids import new_id
from codetether_core.ports import Clock, Entropy, Run, Runner
from codetether_core.tasks.matching import BUILT_IN_AGENTS

__all__ = ["Workplace", "open_workplace"]


@frozen(kw_only=True)
class Workplace:
    """One worker's parts. ``agents`` are the types of tasks that it can run."""

    worker_id: str
    directory: Path
    client: AsyncClient
    outbox: Outbox
    locks: CheckoutLocks
    clock: Clock
    entropy: Entropy
    templates: Mapping[str, AgentTemplate]

    @property
    def agents(self) -> tuple[str, ...]:
        """What it can run, by the names that tasks use."""
        return tuple(sorted({*BUILT_IN_AGENTS, *self.templates}))

    def runners(self, register: Register, keep_open: Callable[[Run], Sequence[int]]) -> Mapping[str, Runner]:
        """A runner for each of them; ``keep_open`` gives the descriptors that a run's processes hold."""
        commands = {
            name: CommandRunner(
                CommandTemplate(
                    name=name,
                    argv=template.command,
                    prompt=cast("Literal['stdin', 'argument', 'none']", template.prompt),
                    env=template.env,
                ),
                keep_open=keep_open,
            )
            for name, template in self.templates.items()
        }
        built_in: dict[str, Runner] = {
            "echo": EchoRunner(),
            "noop": NoopRunner(),
            "register_codebase": RegisterCodebaseRunner(register),
        }
        return {**commands, **built_in}


@asynccontextmanager
async def open_workplace(settings: Settings, *, server: str | None, token: str | None) -> AsyncIterator[Workplace]:
    """The parts, each worker's in a directory of its own below the data directory; locks on checkouts are shared."""
    clock, entropy = SystemClock(), SystemEntropy()
    name = settings.worker.id or settings.worker.name
    directory = settings.storage.data_dir / "workers" / quote(name, safe=" ")
    with Outbox(directory / "outbox") as outbox:
        worker_id = settings.worker.id or _kept_id(directory / "id", new_id("wrk", clock.now(), entropy.bytes(16)))
        locks = CheckoutLocks(settings.storage.data_dir / "locks")
        token = token or client_token(settings)
        silence_retries()  # what is asked again is told by who asks
        async with AsyncClient(server or settings.client.server, token=token) as client:
            yield Workplace(
                worker_id=worker_id,
                directory=directory,
                client=client,
                outbox=outbox,
                locks=locks,
                clock=clock,
                entropy=entropy,
                templates=settings.agents,
            )


def _kept_id(path: Path, fresh: str) -> str:
    """The worker's id as it was kept, else ``fresh``, kept from now on. The outbox's lock lets nobody else in here."""
    try:
        if path.exists():
            return path.read_text(encoding="utf-8").strip()
        unfinished = path.with_suffix(f".{os.getpid()}")
        unfinished.write_text(f"{fresh}\n", encoding="utf-8")
        unfinished.replace(path)
    except OSError as error:
        raise Unavailable(
            f"{path} cannot be written: {error.strerror}",
            hint="make the directory writable for this user, or name another with CODETETHER_DATA_DIR",
        ) from error
    return fresh
