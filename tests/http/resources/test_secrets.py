"""Registered secrets: told to nobody but the runs that need them, and in nothing that anybody reads."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest

from codetether_core.redaction import mark
from tests.http.coverage import covers
from tests.http.resources.world import World, ok, open_world

pytestmark = pytest.mark.anyio

KEY = "sk-ant-0123456789abcdef"
MARK = mark("anthropic")


async def register(world: World, name: str = "anthropic", value: str = KEY, **more: object) -> Mapping[str, Any]:
    told: Mapping[str, Any] = ok(await world.client.put(f"/v1/secrets/{name}", json={"value": value, **more}))
    return told


async def held(world: World, **spec: object) -> Mapping[str, Any]:
    """A claimed task: the answer to the claim."""
    body = {"title": "t", "prompt": "p", "agent_type": "echo", **spec}
    task = ok(await world.client.post("/v1/agent/tasks", json=body))["id"]
    words = {"task_id": task, "worker_id": "w1", "lease": True}
    claimed: Mapping[str, Any] = ok(await world.worker.post("/v1/worker/tasks/claim", json=words))
    return claimed


async def say(world: World, claimed: Mapping[str, Any], *chunks: str, first: int | None = None) -> None:
    body = {
        "worker_id": "w1",
        "lease_token": claimed["lease"]["token"],
        "outputs": [{"output": each} for each in chunks],
    }
    body |= {} if first is None else {"first": first}
    ok(await world.worker.post(f"/v1/agent/tasks/{claimed['task_id']}/output", json=body))


async def report(world: World, claimed: Mapping[str, Any], **words: object) -> Mapping[str, Any]:
    body = {"status": "completed", "worker_id": "w1", "lease_token": claimed["lease"]["token"], **words}
    told: Mapping[str, Any] = ok(await world.worker.put(f"/v1/agent/tasks/{claimed['task_id']}/status", json=body))
    return told


async def output(world: World, claimed: Mapping[str, Any]) -> list[str]:
    told = ok(await world.client.get(f"/v1/agent/tasks/{claimed['task_id']}/output"))
    return [each["output"] for each in told["outputs"]]


@covers("PUT /v1/secrets/{secret_name}")
@covers("GET /v1/secrets")
@covers("DELETE /v1/secrets/{secret_name}")
async def test_a_secret_is_registered_listed_without_its_value_and_forgotten() -> None:
    async with open_world() as world:
        told = await register(world, variable="ANTHROPIC_API_KEY", agents=["build", "plan"])
        assert told["name"] == "anthropic" and told["variable"] == "ANTHROPIC_API_KEY"
        changed = await register(world, value=f"{KEY}2")
        assert (changed["variable"], changed["agents"]) == (None, [])
        listed = (await world.client.get("/v1/secrets")).text
        assert json.loads(listed)["total"] == 1 and KEY not in listed
        ok(await world.client.delete("/v1/secrets/anthropic"))
        assert (await world.client.delete("/v1/secrets/anthropic")).status_code == 404
        trail = ok(await world.client.get("/v1/audit/events?action=secret.*"))
        actions = [each["action"] for each in trail["events"]]
        assert sorted(actions) == ["secret.changed", "secret.registered", "secret.removed"]
        assert KEY not in json.dumps(trail)


@pytest.mark.parametrize(
    ("name", "body", "field"),
    [
        ("anthropic", {"value": "short"}, "value"),
        ("an thropic", {"value": KEY}, "name"),
        ("anthropic", {"value": "anthropic"}, "value"),
        ("anthropic", {"value": KEY, "variable": "A-B"}, "variable"),
        ("anthropic", {"value": KEY, "agents": ["build"]}, "agents"),
    ],
)
async def test_what_cannot_be_kept_secret_is_refused(name: str, body: Mapping[str, object], field: str) -> None:
    async with open_world() as world:
        refused = await world.client.put(f"/v1/secrets/{name}", json=body)
        assert refused.status_code == 422 and refused.json()["field"] == field
        assert KEY not in refused.text


async def test_who_names_the_agents_of_a_secret_for_agents_elsewhere_is_told_to_name_none() -> None:
    async with open_world() as world:
        refused = await world.client.put("/v1/secrets/peer", json={"value": KEY, "agents": ["a2a"]})
        assert refused.status_code == 422 and "or no agents" in refused.json()["hint"]
        ok(await world.client.put("/v1/secrets/peer", json={"value": KEY}))


async def test_a_secret_that_is_a_part_of_what_stands_for_another_is_refused() -> None:
    async with open_world() as world:
        await register(world, "passphrase-of-ci")
        refused = await world.client.put("/v1/secrets/other", json={"value": "passphrase"})
        assert refused.status_code == 422 and refused.json()["field"] == "name"


async def test_a_prompt_or_an_answer_that_tells_a_secret_is_refused() -> None:
    async with open_world() as world:
        await register(world)
        encoded = base64.b64encode(f"key={KEY}".encode()).decode()
        for wish in ({"prompt": f"use {KEY}"}, {"prompt": encoded}, {"prompt": "p", "metadata": {"a": [{KEY: 1}]}}):
            refused = await world.client.post("/v1/agent/tasks", json={"title": "t", **wish})
            assert refused.status_code == 422 and refused.json()["code"] == "secret_in_text"
            assert KEY not in refused.text and MARK in refused.json()["detail"]
        claimed = await held(world)
        ask = {"task_id": claimed["task_id"], "worker_id": "w1", "lease_token": claimed["lease"]["token"]}
        question = ok(
            await world.worker.post(
                f"/v1/agent/tasks/{claimed['task_id']}/ask", json={"prompt": f"is it {KEY}?", **ask}
            )
        )["approval"]
        shown = ok(await world.client.get(f"/v1/agent/approvals/{question['id']}"))
        assert shown["prompt"] == f"is it {MARK}?"
        refused = await world.client.post(f"/v1/agent/approvals/{question['id']}/answer", json={"text": KEY})
        assert refused.status_code == 422 and refused.json()["code"] == "secret_in_text"


async def test_output_is_told_without_secrets_however_it_is_cut() -> None:
    """Within a batch, over batches that are sent again, and with the outcome; nothing else is changed."""
    async with open_world() as world:
        await register(world)
        claimed = await held(world)
        await say(world, claimed, "key: sk-a", "nt-01234", first=0)
        assert "".join(await output(world, claimed)) == "key: "
        await say(world, claimed, "nt-01234", "56789abc", "def. a", first=1)
        await say(world, claimed, "nt-01234", "56789abc", "def. a", first=1)
        assert "".join(await output(world, claimed)) == f"key: {MARK}. a"
        await say(world, claimed, "nd it ends in sk-", first=4)
        assert "".join(await output(world, claimed)) == f"key: {MARK}. and it ends in "
        told = await report(world, claimed, result=f"it was {KEY}")
        assert "".join(await output(world, claimed)) == f"key: {MARK}. and it ends in sk-"
        assert KEY not in json.dumps(told)
        task = ok(await world.client.get(f"/v1/agent/tasks/{claimed['task_id']}"))
        assert task["result"] == f"it was {MARK}"


async def test_an_agents_json_is_told_without_secrets() -> None:
    async with open_world() as world:
        await register(world)
        claimed = await held(world)
        await say(world, claimed, json.dumps({"type": "tool_use", "input": {"env": f"KEY={KEY}"}}))
        events = (await world.client.get(f"/v1/agent/tasks/{claimed['task_id']}/log")).text
        assert MARK in events and KEY not in events and "tool_use" in events


async def test_a_failure_and_what_a_superseded_run_had_to_say_tell_no_secret() -> None:
    async with open_world() as world:
        await register(world)
        claimed = await held(world)
        told = await report(world, claimed, status="failed", error=f"401 for {KEY}")
        task = ok(await world.client.get(f"/v1/agent/tasks/{claimed['task_id']}"))
        assert task["error"] == f"401 for {MARK}" and KEY not in json.dumps(told)


async def test_a_secret_that_is_a_word_of_the_protocol_or_a_name_stops_nobody() -> None:
    """It is looked for in what people and agents write, not in what others find things by."""
    async with open_world() as world:
        for number, value in enumerate(("credentials", "task.output", "completed", "editor-name", "worker-name")):
            await register(world, f"n{number}", value)
        claimed = await held(world)
        await say(world, claimed, "completed", " as credentials")
        await report(world, claimed, result="completed")
        task = ok(await world.client.get(f"/v1/agent/tasks/{claimed['task_id']}"))
        assert (task["status"], task["result"]) == ("completed", mark("n2"))
        assert "".join(await output(world, claimed)) == f"{mark('n2')} as {mark('n0')}"
        assert ok(await world.client.delete("/v1/secrets/n0"))["name"] == "n0"


async def test_what_a_caller_names_its_request_is_not_told_with_a_secret_in_it() -> None:
    async with open_world() as world:
        await register(world)
        headers = {"X-Request-ID": f"id-{KEY}"}
        ok(await world.client.post("/v1/agent/tasks", json={"title": "t", "prompt": "p"}, headers=headers))
        refused = await world.viewer.post("/v1/agent/tasks", json={"title": "t", "prompt": "p"}, headers=headers)
        assert refused.status_code == 403
        trail = (await world.client.get("/v1/audit/events")).text
        assert KEY not in trail and MARK in trail


@pytest.mark.parametrize("before", [12, 280, 290, 296])
async def test_a_path_is_not_recorded_with_the_beginning_of_a_secret_either(before: int) -> None:
    """Long ones are cut, wherever a secret in them may be."""
    async with open_world() as world:
        await register(world)
        path = f"/v1/secrets/{'x' * (before - len('/v1/secrets/'))}{KEY}"
        assert (await world.viewer.delete(path)).status_code == 403
        (event,) = ok(await world.client.get("/v1/audit/events?outcome=denied"))["events"]
        assert event["resource"] == f"{path.removesuffix(KEY)}{MARK}"[:300]


async def test_two_secrets_are_not_handed_out_in_one_variable() -> None:
    async with open_world() as world:
        await register(world, variable="KEY")
        refused = await world.client.put("/v1/secrets/other", json={"value": "0123456789", "variable": "KEY"})
        assert refused.status_code == 422 and refused.json()["field"] == "variable"


async def test_last_words_are_taken_as_ever() -> None:
    """Repeated, after the outcome, after a cancel; what was held back is told once."""
    async with open_world() as world:
        await register(world)
        claimed = await held(world)
        words = {"task_id": claimed["task_id"], "worker_id": "w1", "lease_token": claimed["lease"]["token"]}
        await say(world, claimed, "sk-a", first=0)
        for _ in range(2):
            await report(world, claimed, result="done")
            assert ok(await world.worker.post("/v1/worker/tasks/release", json=words))["status"] == "completed"
        assert await output(world, claimed) == ["sk-a"]

        claimed = await held(world)
        words = {"task_id": claimed["task_id"], "worker_id": "w1", "lease_token": claimed["lease"]["token"]}
        await say(world, claimed, "sk-", first=0)
        ok(await world.client.post(f"/v1/agent/tasks/{claimed['task_id']}/cancel"))
        await say(world, claimed, "ant-0123", "456789abcdef", first=1)
        assert "".join(await output(world, claimed)) == MARK
        ok(await world.worker.post("/v1/worker/tasks/stopped", json=words))

        claimed = await held(world)
        words = {"task_id": claimed["task_id"], "worker_id": "w1", "lease_token": claimed["lease"]["token"]}
        await say(world, claimed, "s", first=0)
        assert ok(await world.worker.post("/v1/worker/tasks/release", json=words))["status"] == "pending"
        assert await output(world, claimed) == ["s"]


async def test_a_file_is_kept_without_secrets() -> None:
    async with open_world() as world:
        await register(world)
        claimed = await held(world)
        url = f"/v1/agent/tasks/{claimed['task_id']}/artifacts/config.txt"
        headers = {"X-Worker-ID": "w1", "X-Lease-Token": claimed["lease"]["token"]}
        data = b"\xff" * 100_000 + f"key={KEY};".encode() + b"\x00" * 100_000
        ok(await world.worker.put(url, content=data, headers=headers))
        assert (await world.client.get(url)).content == data.replace(KEY.encode(), MARK.encode())


async def test_only_a_worker_that_asks_for_a_lease_is_handed_what_its_run_needs() -> None:
    async with open_world() as world:
        await register(world, variable="ANTHROPIC_API_KEY", agents=["build"])
        await register(world, "everywhere", "0123456789", variable="EVERYWHERE")
        await register(world, "nowhere", "9876543210")
        assert (await held(world, agent_type="build"))["secrets"] == [
            {"name": "anthropic", "variable": "ANTHROPIC_API_KEY", "value": KEY},
            {"name": "everywhere", "variable": "EVERYWHERE", "value": "0123456789"},
        ]
        (everywhere,) = (await held(world, agent_type="plan"))["secrets"]
        assert everywhere["name"] == "everywhere"
        task = ok(await world.client.post("/v1/agent/tasks", json={"title": "t", "prompt": "p"}))["id"]
        words = {"task_id": task, "worker_id": "w2"}
        assert ok(await world.worker.post("/v1/worker/tasks/claim", json=words))["secrets"] == []
        task = ok(await world.client.post("/v1/agent/tasks", json={"title": "t", "prompt": "p"}))["id"]
        words = {"task_id": task, "worker_id": "w3", "lease": True}
        assert ok(await world.editor.post("/v1/worker/tasks/claim", json=words))["secrets"] == []
        (event, _) = ok(await world.client.get("/v1/audit/events?action=secrets.handed"))["events"]
        assert event["metadata"]["names"] == ["everywhere"] and event["actor"] == "worker"
