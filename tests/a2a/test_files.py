"""Files that a run left, as parts of artifacts."""

from __future__ import annotations

import pytest

from codetether_adapters.a2a.artifacts import INLINE
from codetether_adapters.a2a_wire.encoding import encode
from tests.a2a.hub import Hub


async def test_a_json_object_that_was_left_is_told_as_data(hub: Hub) -> None:
    run = await hub.begin()
    async with hub.stream("SubscribeToTask", {"id": run.id}) as stream:
        await run.leave("report.json", b'{"count": 42, "of": ["a", null, 0.5]}', "application/json; charset=utf-8")
        await run.end()
        streamed = [event.data for event in await stream.rest()]
    (artifact,) = (await hub.result("GetTask", {"id": run.id}))["artifacts"]
    (part,) = artifact["parts"]
    assert (part["data"], part["filename"]) == ({"count": 42, "of": ["a", None, 0.5]}, "report.json")
    assert sum('"data":{"count":42' in event for event in streamed) == 1
    (old,) = (await hub.result("tasks/get", {"id": run.id}))["artifacts"]
    assert old["parts"] == [{"kind": "data", "data": part["data"]}]


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (b'{"id": 9007199254740993}', "application/json"),
        (b'{"id": 1e20}', "application/json"),
        (b"[1]", "application/json"),
        (b'{"a": ', "application/json"),
        (b'{"a": "\\ud800"}', "application/json"),
        (b'{"a": 1}', "text/plain"),
        (b'{"a":' * 33 + b"1" + b"}" * 33, "application/json"),
        (b'{"a": "%s"}' % (b"x" * 65536), "application/json"),
    ],
)
async def test_what_clients_would_not_read_alike_is_told_in_bytes(hub: Hub, data: bytes, media_type: str) -> None:
    run = await hub.begin()
    await run.leave("report.json", data, media_type)
    await run.end()
    (artifact,) = (await hub.result("GetTask", {"id": run.id}))["artifacts"]
    assert "raw" in artifact["parts"][0]


async def test_what_is_told_is_counted_as_it_is_written(hub: Hub) -> None:
    """So that an answer is no larger than other servers take, whatever is in it."""
    run = await hub.begin()
    for _ in range(3):
        await run.say("\x01" * 500_000)
    for name, size in ("a", 10_500_000), ("b", 100_000):
        await run.leave(name, bytes(size))
    await run.end()
    task = await hub.result("GetTask", {"id": run.id, "historyLength": 0})
    output, large, last = (each["parts"][0] for each in task["artifacts"])
    assert (len(output["text"]), len(large["raw"])) == (1_500_000, 14_000_000)
    assert last["url"].endswith(f"/v1/agent/tasks/{run.id}/artifacts/b")
    assert 22_900_000 < len(encode(task)) < INLINE + 4_000
