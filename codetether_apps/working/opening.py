"""From a worker's parts to the worker."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from codetether_apps.holding.verdicts import Persistence
from codetether_apps.process import StartError
from codetether_apps.process.hiding import HIDING
from codetether_apps.settings import Settings
from codetether_apps.wiring.workplace import open_workplace
from codetether_apps.working.checkouts import Checkouts
from codetether_apps.working.conversations import Conversations
from codetether_apps.working.kept_codebases import KeptCodebases
from codetether_apps.working.leavings import Leavings
from codetether_apps.working.loop import Worker
from codetether_apps.working.registration import Registration
from codetether_apps.working.reports import Reports

__all__ = ["open_worker"]


@asynccontextmanager
async def open_worker(
    settings: Settings, *, server: str | None = None, token: str | None = None, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Worker]:
    """The worker that the settings describe; ``server``, ``token`` and ``tls`` take the place of theirs."""
    for codebase in settings.worker.codebases:
        if not codebase.path.is_dir():
            raise StartError(
                f"the codebase {codebase.name} has no directory {codebase.path}", hint="correct --codebase"
            )
    async with open_workplace(settings, server=server, token=token, tls=tls) as place:
        persistence = Persistence(place.clock, place.entropy)
        checkouts = Checkouts(place.directory / "scratch")
        leavings = Leavings(root=place.directory / "artifacts", worker_id=place.worker_id, client=place.client)
        leavings.clean({entry.report.artifacts for entry in place.outbox.pending()})
        registration = Registration(
            client=place.client,
            worker_id=place.worker_id,
            name=settings.worker.name,
            slots=settings.worker.slots,
            capabilities=settings.worker.capabilities,
            agents=place.agents,
            codebases=settings.worker.codebases,
            kept=KeptCodebases(place.directory / "codebases.json"),
        )
        worker = Worker(
            registration=registration,
            client=place.client,
            runners=place.runners(registration.add, checkouts.descriptors),
            checkouts=checkouts,
            reports=Reports(
                worker_id=place.worker_id,
                client=place.client,
                outbox=place.outbox,
                persistence=persistence,
                leavings=leavings,
            ),
            conversations=Conversations(worker_id=place.worker_id, client=place.client, cache=place.sessions),
            persistence=persistence,
            poll_interval=settings.worker.poll_interval,
            output_wait=settings.worker.output_wait,
            output_batch=settings.worker.output_batch,
            drain=settings.process.drain,
        )
        with HIDING.knowing(worker.redactors):
            yield worker
