"""Programs that the tests start as processes of their own: ``python -m tests.stores.programs NAME URL``."""

import asyncio
import resource
import sys

from codetether_adapters.sqlite import open_backend
from codetether_core.errors import Unavailable
from codetether_core.events import Topic
from contracts.ports.samples import TENANT, new_task, output


async def write(url: str) -> None:
    """Write until killed; say the id of each task once it was acknowledged."""
    async with open_backend(url) as backend:

        async def write_on(writer: int) -> None:
            for n in range(1_000_000):
                task = new_task(f"{writer}-{n}")
                await backend.tasks.add(task, output(task, "x"))
                print(task.id, flush=True)

        await asyncio.gather(*(write_on(writer) for writer in range(8)))


async def hold(url: str) -> None:
    """Keep the store open until standard input ends."""
    async with open_backend(url):
        print("open", flush=True)
        await asyncio.to_thread(sys.stdin.read)


async def crowd(url: str) -> None:
    """Fill a disk that is full at 600 kB, see what is refused, make room, and try that again."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    tasks = [new_task(f"{n:03}", prompt="x" * 10_000) for n in range(160)]
    refused = []
    async with open_backend(url) as backend:
        resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, hard))
        for first in range(0, len(tasks), 4):
            together = tasks[first : first + 4]
            calls = (backend.tasks.add(task, output(task, "x")) for task in together)
            outcomes = await asyncio.gather(*calls, return_exceptions=True)
            for task, outcome in zip(together, outcomes, strict=True):
                if outcome is None:
                    assert await backend.tasks.get(TENANT, task.id) == task
                else:
                    assert isinstance(outcome, Unavailable) and outcome.hint, outcome
                    refused.append(task)
        assert 0 < len(refused) < len(tasks)
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        for task in refused:
            await backend.tasks.add(task, output(task, "x"))
        page = await backend.log.read(Topic(TENANT), await backend.log.start())
        assert [record.position for record in page.records] == [*range(1, len(tasks) + 1)]
    async with open_backend(url) as backend:
        for task in tasks:
            assert await backend.tasks.get(TENANT, task.id) == task
        page = await backend.log.read(Topic(TENANT), await backend.log.start())
        assert len(page.records) == len(tasks)


if __name__ == "__main__":
    _, name, url = sys.argv
    asyncio.run({"write": write, "hold": hold, "crowd": crowd}[name](url))
