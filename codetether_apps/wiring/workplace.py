"""Settings to a worker's parts: its connection, its own records on this machine, and the agents that it can run."""

from __future__ import annotations

import os
import ssl
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from urllib.parse import quote

from attrs import frozen

from codetether_adapters.agents import (
    AcpRunner,
    AcpTemplate,
    AgentTemplate,
    CommandRunner,
    CommandTemplate,
    EchoRunner,
    NoopRunner,
    Register,
    RegisterCodebaseRunner,
)
from codetether_adapters.client import AsyncClient
from codetether_adapters.outbox import Outbox
from codetether_adapters.session_cache import SessionCache
from codetether_adapters.system import SystemClock, SystemEntropy
from codetether_apps.settings import Settings, client_tls, client_token
from codetether_apps.wiring.ciphers import cipher_of
from codetether_apps.wiring.data_directory import make_directory, unwritable
from codetether_core.ids import new_id
from codetether_core.ports import Clock, Entropy, Run, Runner
from codetether_core.services import Envelope
from codetether_core.tasks.matching import BUILT_IN_AGENTS

__all__ = ["Workplace", "open_workplace"]


@frozen(kw_only=True)
class Workplace:
    """One worker's parts. ``agents`` are the types of tasks that it can run."""

    worker_id: str
    directory: Path
    client: AsyncClient
    outbox: Outbox
    sessions: SessionCache
    clock: Clock
    entropy: Entropy
    templates: Mapping[str, AgentTemplate]
    roots: Sequence[Path]

    @property
    def agents(self) -> tuple[str, ...]:
        """What it can run, by the names that tasks use."""
        return tuple(sorted({*BUILT_IN_AGENTS, *self.templates}))

    def runners(self, register: Register, keep_open: Callable[[Run], Sequence[int]]) -> Mapping[str, Runner]:
        """A runner for each of them; ``keep_open`` gives the descriptors that a run's processes hold."""
        own = {name: _runner(template, keep_open) for name, template in self.templates.items()}
        built_in: dict[str, Runner] = {
            "echo": EchoRunner(),
            "noop": NoopRunner(),
            "register_codebase": RegisterCodebaseRunner(register, self.roots),
        }
        return {**own, **built_in}


@asynccontextmanager
async def open_workplace(
    settings: Settings, *, server: str | None, token: str | None, tls: ssl.SSLContext | None
) -> AsyncIterator[Workplace]:
    """The parts, each worker's in a directory of its own below the data directory."""
    clock, entropy = SystemClock(), SystemEntropy()
    name = settings.worker.id or settings.worker.name
    directory = settings.storage.data_dir / "workers" / quote(name, safe=" ")
    make_directory(directory)
    cipher = cipher_of(settings, None)
    envelope = Envelope.open_to_all() if cipher is None else Envelope(cipher, entropy)
    with (
        Outbox(directory / "outbox", envelope) as outbox,
        closing(SessionCache(directory / "sessions.db", envelope)) as sessions,
    ):
        worker_id = settings.worker.id or _kept_id(directory / "id", new_id("wrk", clock.now(), entropy.bytes(16)))
        sessions.forget(clock.now() - settings.storage.retention)
        token = token or client_token(settings)
        tls = tls or (client_tls(settings) if server is None else None)
        async with AsyncClient(server or settings.client.server, token=token, tls=tls) as client:
            yield Workplace(
                worker_id=worker_id,
                directory=directory,
                client=client,
                outbox=outbox,
                sessions=sessions,
                clock=clock,
                entropy=entropy,
                templates=settings.agents,
                roots=settings.worker.registrable,
            )


def _runner(template: AgentTemplate, keep_open: Callable[[Run], Sequence[int]]) -> Runner:
    """The runner of an agent of one's own."""
    match template:
        case AcpTemplate():
            return AcpRunner(template, keep_open=keep_open)
        case CommandTemplate():
            return CommandRunner(template, keep_open=keep_open)
        case _:
            raise TypeError(f"no runner for {type(template).__name__}")


def _kept_id(path: Path, fresh: str) -> str:
    """The worker's id as it was kept, else ``fresh``, kept from now on. The outbox's lock lets nobody else in here."""
    try:
        if path.exists():
            return path.read_text(encoding="utf-8").strip()
        unfinished = path.with_suffix(f".{os.getpid()}")
        unfinished.write_text(f"{fresh}\n", encoding="utf-8")
        unfinished.replace(path)
    except OSError as error:
        raise unwritable(path, error) from error
    return fresh
