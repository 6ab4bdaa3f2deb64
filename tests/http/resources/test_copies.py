"""A copy of everything: for administrators, and not complete without its last line."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest

from codetether_adapters.memory import MemoryBlobs
from codetether_core.services import assemble
from tests.http.coverage import covers
from tests.http.resources.world import World, open_world


@pytest.fixture
async def world(anyio_backend: str) -> AsyncIterator[World]:
    async with open_world() as world:
        world.app.services = assemble(world.services.backend, world.clock, world.services.entropy, blobs=MemoryBlobs())
        yield world


@covers("GET /v1/backups/copy", "GET /v1/backups/moment", "GET /v1/backups/blobs/{id}")
async def test_everything_is_told_line_by_line(world: World) -> None:
    task = (await world.post("/v1/agent/tasks", prompt="p"))["id"]
    lease = (await world.post("/v1/worker/tasks/claim", task_id=task, worker_id="w", lease=True))["lease"]
    holder = {"X-Worker-ID": "w", "X-Lease-Token": lease["token"]}
    await world.client.put(f"/v1/agent/tasks/{task}/artifacts/a.txt", content=b"left", headers=holder)
    lines = (await world.client.get("/v1/backups/copy")).text.splitlines()
    entries = [json.loads(line) for line in lines]
    kinds = [entry["kind"] for entry in entries]
    assert kinds[-1] == "end"
    assert {"task", "blob", "event"} <= set(kinds)
    blob = entries[kinds.index("blob")]["data"]
    assert blob["size"] == 4
    assert (await world.client.get(f"/v1/backups/blobs/{blob['id']}")).content == b"left"
    assert (await world.client.get(f"/v1/backups/blobs/{'0' * 64}")).status_code == 404
    assert (await world.client.get("/v1/backups/blobs/x")).status_code == 422
    assert (await world.get("/v1/backups/moment"))["moment"].endswith("Z")


@pytest.mark.parametrize("role", ["editor", "viewer", "worker"])
async def test_nobody_else_gets_one(world: World, role: str) -> None:
    for path in ("copy", "moment", f"blobs/{'0' * 64}"):
        assert (await getattr(world, role).get(f"/v1/backups/{path}")).status_code == 403
