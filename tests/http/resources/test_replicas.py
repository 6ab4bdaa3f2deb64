"""Two replicas over one store: what is said to one is known at the other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from codetether_adapters import memory
from codetether_adapters.http.resources import following
from tests.http.resources.harness import Api, Stream, data, open_api

P = "/v1/agent"
STREAM = "/v1/worker/tasks/stream?worker_id=w1&agent_name=one"


@pytest.fixture
async def replicas(anyio_backend: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Api, Api]]:
    monkeypatch.setattr(following, "BEAT", timedelta(milliseconds=1))
    async with memory.open_backend() as backend, open_api(backend) as here, open_api(backend) as there:
        yield here, there


async def beat(stream: Stream) -> None:
    """Wait for a whole beat."""
    for _ in range(2):
        while (await stream.event()).event != "heartbeat":
            pass


async def test_a_task_submitted_there_is_offered_here_and_done_there_frees_the_slot(
    replicas: tuple[Api, Api],
) -> None:
    here, there = replicas
    async with here.watch(STREAM, "bot", **{"X-Slots": "1"}) as stream:
        await beat(stream)
        task = await there.task()
        await here.services.dispatch.offer_ready()
        while (event := await stream.event()).event != "task_available":
            pass
        assert data(event)["id"] == task["id"]
        lease = (await here.claimed(task["id"]))["lease"]["token"]
        assert (await here.alice.ok("GET", "/v1/worker/connected/w1"))["is_busy"] is True
        done = {"status": "completed", "worker_id": "w1", "lease_token": lease}
        await there.bot.ok("PUT", f"{P}/tasks/{task['id']}/status", done)
        await beat(stream)
        assert (await here.alice.ok("GET", "/v1/worker/connected/w1"))["is_busy"] is False


async def test_a_cancel_there_is_told_here_at_the_next_beat(replicas: tuple[Api, Api]) -> None:
    here, there = replicas
    async with here.watch(STREAM, "bot", **{"X-Worker-Events": "cancel"}) as stream:
        await beat(stream)
        task = await there.task()
        await here.claimed(task["id"])
        await there.alice.ok("POST", f"{P}/tasks/{task['id']}/cancel")
        while (event := await stream.event()).event != "cancel":
            pass
        assert data(event)["id"] == task["id"]


async def test_a_codebase_registered_there_is_served_here_at_the_next_beat(replicas: tuple[Api, Api]) -> None:
    here, there = replicas
    async with here.watch(STREAM, "bot") as stream:
        await beat(stream)
        codebase = await there.codebase(worker="w1")
        await beat(stream)
        assert codebase in (await here.alice.ok("GET", "/v1/worker/connected/w1"))["codebases"]


async def test_a_watcher_goes_on_at_the_other_replica(replicas: tuple[Api, Api]) -> None:
    here, there = replicas
    path = f"{P}/codebases/global/events"
    async with here.watch(path) as stream:
        await stream.chunk()
        first = await here.task()
        event = await stream.event()
        assert data(event)["task_id"] == first["id"]
    second = await here.task()
    async with there.watch(path, **{"Last-Event-ID": event.id}) as stream:
        assert data(await stream.event())["task_id"] == second["id"]
