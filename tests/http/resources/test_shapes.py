"""What is documented is what is answered."""

from __future__ import annotations

from typing import Any

import attrs

from codetether_adapters.http.resources import all_routes, shapes
from tests.http.resources.harness import Api

P = "/v1/agent"


def names(shape: Any) -> set[str]:
    return {attribute.name for attribute in attrs.fields(shape)}


async def test_views_have_the_documented_members(api: Api) -> None:
    id = (await api.task())["id"]
    claimed = await api.claimed(id)
    assert claimed.keys() == names(shapes.Claimed)
    assert claimed["lease"].keys() == names(shapes.Lease)
    assert claimed["task"].keys() == names(shapes.Task)
    word = {"worker_id": "w1", "lease_token": claimed["lease"]["token"]}
    asked = await api.bot.ok("POST", f"{P}/tasks/{id}/ask", {"prompt": "?"} | word)
    assert asked["approval"].keys() == names(shapes.Approval)
    codebase = await api.codebase()
    shown = await api.alice.ok("GET", f"{P}/codebases/{codebase}")
    assert shown.keys() == names(shapes.Codebase) - {"aliases", "alias_ids", "duplicate_count"}
    chunk = {"output": "x", "timestamp": "2026-01-01T00:00:00Z", "event": {"type": "x"}}
    await api.bot.ok("POST", f"{P}/tasks/{id}/output", chunk | word)
    outputs = await api.alice.ok("GET", f"{P}/tasks/{id}/output")
    assert outputs.keys() == names(shapes.OutputPage)
    assert outputs["outputs"][0].keys() == names(shapes.OutputItem) - {"after_cancel"}
    queued = await api.alice.ok("POST", f"{P}/codebases/{codebase}/trigger", {"prompt": "p"})
    assert queued.keys() == names(shapes.Queued)


async def test_every_route_is_in_the_document(api: Api) -> None:
    document = await api.deployed.ok("GET", "/openapi.json")
    for route in all_routes():
        assert route.method.lower() in document["paths"][route.path.replace(":path}", "}")], route.path
