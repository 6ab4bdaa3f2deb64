"""The server under measurement for A2A: the whole application, and in the same process an agent that says it back.

What is measured is the control plane: no worker's process, no HTTP between it and the server.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

from codetether_apps.process import stop_signals
from codetether_apps.serving import open_front
from codetether_apps.settings import read_settings
from codetether_apps.wiring.application import open_application
from codetether_core.access import DEFAULT_TENANT, Principal
from codetether_core.ids import WorkerId
from codetether_core.services import Services
from codetether_core.tasks import GLOBAL, OutputChunk, Profile, Task, Word

_WORKER = WorkerId("bench-echo")
_SLOTS = 64


async def echo(services: Services) -> None:
    """Take every task there is under a lease, print its prompt and complete it."""
    principal = Principal(name="bench-echo", roles=frozenset({"worker"}))
    profile = Profile(
        worker=_WORKER,
        tenant=DEFAULT_TENANT,
        names=frozenset({"echo"}),
        codebases=frozenset({GLOBAL}),
        capabilities=frozenset(),
        agents=frozenset(),
    )

    async def run(task: Task) -> None:
        held = await services.claiming.claim(principal, _WORKER, task.id, tokened=True)
        assert held.grant is not None
        word = Word(worker=_WORKER, principal=principal.name, token=held.grant.token)
        said = [OutputChunk(text=task.spec.prompt)]
        await services.reporting.complete(DEFAULT_TENANT, word, task.id, task.spec.prompt, chunks=said, first=0)

    with services.dispatch.connect(profile, name="echo", slots=_SLOTS, dedupes=False) as connection:
        async with asyncio.TaskGroup() as group:
            while True:
                for task in await connection.notices(timedelta(seconds=15)):
                    group.create_task(run(task))


async def main() -> None:
    """Serve until terminated."""
    settings = read_settings()
    with stop_signals() as stopping:
        async with (
            open_front(settings, None, stopping) as front,
            open_application(settings, drain=front.drain) as opened,
        ):
            front.listen()
            working = asyncio.create_task(echo(opened.services))
            await front.serve(opened.application)
            working.cancel()


if __name__ == "__main__":
    asyncio.run(main())
