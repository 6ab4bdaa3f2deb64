"""A worker of ours in a thread of this process, for tests that wait elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress

from anyio.from_thread import start_blocking_portal

from codetether_adapters.client import AgentFunction, AsyncClient, Worker

__all__ = ["working"]


@contextmanager
def working(url: str, token: str, agents: Mapping[str, AgentFunction], *, slots: int = 100) -> Iterator[None]:
    """It claims tasks of these types of agents, and does them, until the end of the context."""

    async def work() -> None:
        async with AsyncClient(url, token=token) as client:
            worker = Worker(client, slots=slots)
            for name, function in agents.items():
                worker.agent(name)(function)
            await worker.run()

    with start_blocking_portal("asyncio") as portal:
        future = portal.start_task_soon(work)
        try:
            yield
        finally:
            future.cancel()
            with suppress(CancelledError):
                future.result()
