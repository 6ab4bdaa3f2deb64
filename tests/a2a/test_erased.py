"""A task that was erased is none that this protocol knows, and whoever watches it is not kept waiting."""

from __future__ import annotations

import pytest

from codetether_core.access import Principal
from codetether_core.ids import TaskId
from tests.a2a.hub import Hub, said

ALICE = Principal(name="alice", roles=frozenset({"editor"}))


async def erase(hub: Hub, id: str) -> None:
    """End it and erase it, before anybody who watches has looked."""
    services = hub.api.services
    await services.submission.cancel(ALICE, TaskId(id))
    await services.erasing.task(ALICE, TaskId(id))


@pytest.mark.parametrize("method", ["SubscribeToTask", "tasks/resubscribe"])
async def test_a_stream_of_an_erased_task_ends(hub: Hub, method: str) -> None:
    """Without the end that the reader had still to read: it is gone with all the rest."""
    run = await hub.begin("a word that goes")
    async with hub.stream(method, {"id": run.id}) as stream:
        first = await stream.event()
        assert run.id in first.data
        await erase(hub, run.id)
        assert "erased" not in str(await stream.rest())


async def test_who_waits_for_an_answer_is_told_that_there_is_no_such_task(hub: Hub) -> None:
    async with hub.stream("SendStreamingMessage", said()) as stream:
        await stream.event()
        run = await hub.claim()
        await erase(hub, run.id)
        await stream.rest()
    for method in ("GetTask", "CancelTask", "SubscribeToTask"):
        assert (await hub.error(method, {"id": run.id}))["code"] == -32001
    assert (await hub.result("ListTasks", {}))["tasks"] == []
