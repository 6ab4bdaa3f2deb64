"""The files of a task: left by its holder, listed and read by whoever may read the task."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from codetether_core.services import assemble
from tests.http.coverage import covers
from tests.http.resources.harness import Api, Dice

P = "/v1/agent/tasks"


async def held(api: Api, worker: str = "w1", **members: Any) -> tuple[str, dict[str, str]]:
    """A running task's files, and its holder's headers."""
    id = (await api.task(**members))["id"]
    lease = (await api.claimed(id, worker))["lease"]
    return f"{P}/{id}/artifacts", {"X-Worker-ID": worker, "X-Lease-Token": lease["token"]}


@covers(
    "PUT /v1/agent/tasks/{id}/artifacts/{name:path}",
    "GET /v1/agent/tasks/{id}/artifacts/{name:path}",
    "GET /v1/agent/tasks/{id}/artifacts",
)
@pytest.mark.parametrize("name", ["report.txt", "coverage/index.html", "é & ü/日 本.bin"])
async def test_what_a_run_leaves_can_be_listed_and_read(api: Api, name: str) -> None:
    at, holder = await held(api)
    data = bytes(range(256)) * 2000
    answer = await api.bot.ok(
        "PUT", f"{at}/{quote(name)}", content=data, headers={**holder, "Content-Type": "text/html; charset=utf-8"}
    )
    shown = answer["artifact"]
    assert {key: shown[key] for key in ("name", "media_type", "size", "attempt")} == {
        "name": name,
        "media_type": "text/html; charset=utf-8",
        "size": len(data),
        "attempt": 1,
    }
    listed = await api.eve.ok("GET", at)
    assert listed["artifacts"] == [{**shown, "url": None, "url_expires_at": None}]
    assert (await api.shown(listed["task_id"]))["artifacts"] == [shown]
    read = await api.eve("GET", f"{at}/{quote(name)}")
    assert (read.status_code, read.content) == (200, data)
    assert read.headers["content-length"] == str(len(data))
    assert read.headers["content-disposition"].startswith("attachment; filename*=UTF-8''")
    assert "sandbox" in read.headers["content-security-policy"]
    assert read.headers["x-content-type-options"] == "nosniff"


async def test_it_comes_in_any_pieces_and_may_be_empty(api: Api) -> None:
    at, holder = await held(api)

    async def pieces() -> AsyncIterator[bytes]:
        for number in range(5):
            yield b"" if number == 2 else b"x" * number

    await api.bot.ok("PUT", f"{at}/a", content=pieces(), headers=holder)
    await api.bot.ok("PUT", f"{at}/empty", content=b"", headers=holder)
    assert (await api.bot("GET", f"{at}/a")).content == b"x" * 8
    assert (await api.bot("GET", f"{at}/empty")).content == b""
    assert [each["media_type"] for each in (await api.bot.ok("GET", at))["artifacts"]] == [
        "application/octet-stream"
    ] * 2


async def test_only_the_holder_leaves_files(api: Api) -> None:
    at, holder = await held(api)
    await api.eve.refused(403, "PUT", f"{at}/a", content=b"x", headers=holder)
    stale = {**holder, "X-Lease-Token": "1.other"}
    assert (await api.bot.refused(409, "PUT", f"{at}/a", content=b"x", headers=stale))["code"] == "stale_lease"
    bare = {"X-Worker-ID": "w1"}
    assert (await api.bot.refused(409, "PUT", f"{at}/a", content=b"x", headers=bare))["code"] == "lease_required"
    api.clock.advance(timedelta(minutes=2))
    await api.services.maintenance.sweep()
    other = await api.claimed(at.split("/")[4], "w2")
    assert other["lease"]["number"] == 2
    assert (await api.bot.refused(409, "PUT", f"{at}/a", content=b"x", headers=holder))["code"] == "stale_lease"
    assert (await api.bot.ok("GET", at))["artifacts"] == []


async def test_a_grant_that_is_lost_while_the_bytes_come_leaves_nothing(api: Api) -> None:
    at, holder = await held(api)

    async def slow() -> AsyncIterator[bytes]:
        yield b"first"
        await api.alice.ok("POST", f"{at.removesuffix('/artifacts')}/cancel")
        yield b"second"

    assert (await api.bot.refused(409, "PUT", f"{at}/a", content=slow(), headers=holder))["code"] == "stale_lease"
    assert (await api.bot.ok("GET", at))["artifacts"] == []


async def test_bad_names_types_and_sizes_are_refused(api: Api) -> None:
    at, holder = await held(api)
    refused = await api.bot.refused(422, "PUT", f"{at}/a%0Ab", content=b"x", headers=holder)
    assert refused["field"] == "name"
    odd = {**holder, "Content-Type": "text"}
    assert (await api.bot.refused(422, "PUT", f"{at}/a", content=b"x", headers=odd))["field"] == "media_type"
    most = api.app.limits.file
    huge = {**holder, "Content-Length": str(most + 1)}
    assert (await api.bot.refused(413, "PUT", f"{at}/a", content=b"x", headers=huge))["code"] == "too_large"
    assert (await api.bot.refused(404, "GET", f"{at}/none"))["code"] == "artifact_not_found"


async def test_a_server_without_a_place_for_files_says_what_to_set(api: Api) -> None:
    api.app.services = assemble(api.services.backend, api.clock, Dice())
    at, holder = await held(api)
    refused = await api.bot.refused(501, "PUT", f"{at}/a", content=b"x", headers=holder)
    assert refused["code"] == "not_configured" and "CODETETHER_BLOBS" in refused["hint"]
