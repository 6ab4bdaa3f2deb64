"""The audit trail over HTTP: who did what, from where, and how it ended."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx
import pytest

from codetether_core.access import DEFAULT_TENANT, Principal
from codetether_core.audit import CHECKPOINT, AuditQuery, Link, Outcome
from codetether_core.errors import Unavailable
from codetether_core.ids import TenantId
from codetether_core.services import Recording
from tests.http.coverage import covers
from tests.http.resources.world import World, ok, open_world

EVENTS = "/v1/audit/events"


async def told(world: World, **query: Any) -> list[Mapping[str, Any]]:
    """What the trail has of it, the latest first, once counts were written down."""
    await world.services.recording.flush()
    return [event for event in (await world.get(EVENTS, **query))["events"] if event["action"] != "audit:read"]


@covers("GET /v1/audit/events")
async def test_a_change_has_a_record_with_who_and_from_where() -> None:
    """Its action is the event's kind; what was asked of the agent is not in it."""
    async with open_world() as world:
        task = ok(await world.editor.post("/v1/agent/tasks", json={"title": "t", "prompt": "secret plans"}))
        (event,) = await told(world)
        told_of = {name: event[name] for name in ("actor", "action", "resource", "outcome", "tenant", "ip")}
        assert told_of == {
            "actor": "editor",
            "action": "task.created",
            "resource": f"task/{task['id']}",
            "outcome": "success",
            "tenant": "default",
            "ip": "127.0.0.1",
        }
        assert event["metadata"]["request_id"] and event["id"].startswith("aud_")
        assert "secret plans" not in json.dumps(await told(world))


async def test_claims_outcomes_and_answers_are_recorded() -> None:
    async with open_world() as world:
        task = ok(await world.editor.post("/v1/agent/tasks", json={"title": "t", "prompt": "p"}))["id"]
        holder = {"worker_id": "w1", "name": "one", "task_id": task}
        ok(await world.worker.post("/v1/agent/workers/register", json=holder))
        claimed = ok(await world.worker.post("/v1/worker/tasks/claim", json=holder))
        word = {**holder, "token": claimed["lease"]["token"]}
        asked = ok(await world.worker.post(f"/v1/agent/tasks/{task}/ask", json={**word, "prompt": "?"}))
        ok(await world.editor.post(f"/v1/agent/approvals/{asked['approval']['id']}/answer", json={"text": "yes"}))
        ok(await world.worker.put(f"/v1/agent/tasks/{task}/status", json={**word, "status": "completed"}))
        events = [(each["actor"], each["action"]) for each in reversed(await told(world, resource="/"))]
        assert [each for each in events if each[1] != "approvals:read"] == [
            ("editor", "task.created"),
            ("worker", "worker.registered"),
            ("worker", "task.status"),
            ("worker", "task.status"),
            ("worker", "approval.asked"),
            ("editor", "task.status"),
            ("editor", "approval.answered"),
            ("worker", "task.completed"),
        ]


async def test_what_changes_nothing_is_counted() -> None:
    """By who asked for what from where; renewals and output among it."""
    async with open_world() as world:
        for _ in range(3):
            await world.editor.get("/v1/agent/tasks")
        await world.viewer.get("/v1/agent/tasks")
        counts = {each["actor"]: each for each in await told(world, action="tasks:read")}
        assert {actor: each["metadata"]["count"] for actor, each in counts.items()} == {"editor": 3, "viewer": 1}
        assert counts["editor"]["resource"] == "/v1/agent/tasks"
        await world.editor.get("/v1/agent/tasks")
        assert [each["metadata"]["count"] for each in await told(world, actor="editor")] == [1, 3]


async def test_a_refusal_has_a_record() -> None:
    """With the path that was asked for; of strangers only how many there were."""
    async with open_world() as world:
        assert (await world.viewer.post("/v1/agent/tasks", json={"prompt": "p"})).status_code == 403
        for _ in range(2):
            await world.client.get("/v1/agent/tasks", headers={"Authorization": "Bearer wrong"})
        refused, denied = sorted(await told(world, outcome="denied"), key=lambda each: each["actor"])
        assert (denied["actor"], denied["action"], denied["resource"]) == ("viewer", "tasks:write", "/v1/agent/tasks")
        assert denied["metadata"].items() >= {"method": "POST", "status": 403, "code": "permission_denied"}.items()
        assert (refused["actor"], refused["action"]) == ("anonymous", "tasks:read")
        assert refused["metadata"]["count"] == 2


async def test_an_attempt_to_sign_in_has_a_record() -> None:
    """Who signs in goes by the sign-in from then on."""
    async with open_world() as world:
        await world.client.post(
            "/v1/auth/accounts", json={"name": "ann", "password": "correct horse", "roles": ["editor"]}
        )
        wrong = await world.client.post("/v1/auth/login", json={"username": "ann", "password": "wrong"})
        assert wrong.status_code == 401
        (failed,) = await told(world, outcome="denied")
        assert (failed["actor"], failed["action"]) == ("anonymous", "POST /v1/auth/login")
        assert failed["resource"] == "account/ann"
        right = ok(await world.client.post("/v1/auth/login", json={"username": "ann", "password": "correct horse"}))
        headers = {"Authorization": f"Bearer {right['access_token']}"}
        ok(await world.client.post("/v1/agent/tasks", json={"title": "t", "prompt": "p"}, headers=headers))
        (task,) = await told(world, action="task.created")
        assert task["actor"] == "ann" and task["session_id"].startswith("sgn_")
        issued = (await told(world, action="credential.issued"))[0]
        assert issued["resource"] == f"credential/{task['session_id']}"
        (added,) = await told(world, action="account.*")
        assert (added["action"], added["metadata"]["roles"], added["metadata"]["by"]) == (
            "account.added",
            ["editor"],
            "admin",
        )


@covers("POST /v1/audit/query")
async def test_conditions_narrow_and_cursors_go_on() -> None:
    async with open_world() as world:
        for number in range(5):
            ok(await world.editor.post("/v1/agent/tasks", json={"title": f"{number}", "prompt": "p"}))
            world.clock.advance(seconds=60)
        first = await world.post("/v1/audit/query", action=["task.created"], limit=2)
        second = await world.post("/v1/audit/query", action=["task.created"], limit=2, cursor=first["cursor"])
        third = await world.post("/v1/audit/query", action=["task.created"], limit=2, cursor=second["cursor"])
        found = [each["timestamp"] for page in (first, second, third) for each in page["events"]]
        assert len(found) == 5 and found == sorted(found, reverse=True) and third["cursor"] is None
        since, until = found[3], found[1]
        some = await world.post("/v1/audit/query", action=["task.*"], since=since, until=until)
        assert [each["timestamp"] for each in some["events"]] == found[2:4]
        nobody = await world.post("/v1/audit/query", actor=["nobody"])
        assert nobody == {"events": [], "cursor": None}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"outcome": ["fine"]}, "outcome"),
        ({"limit": 0}, "limit"),
        ({"limit": 1001}, "limit"),
        ({"cursor": "nonsense"}, "cursor"),
        ({"cursor": '{"a": "b"}'}, "cursor"),
        ({"cursor": "[]"}, "cursor"),
        ({"cursor": "null"}, "cursor"),
        ({"cursor": "[" * 9_000}, "cursor"),
        ({"cursor": "x" * 20_000}, "cursor"),
        ({"action": ["x"] * 51}, "action"),
        ({"actor": ["x" * 301]}, "actor"),
        ({"actor": "alice"}, "actor"),
        ({"since": "yesterday"}, "since"),
    ],
)
async def test_a_wrong_condition_is_named(body: Mapping[str, Any], field: str) -> None:
    async with open_world() as world:
        answer = await world.client.post("/v1/audit/query", json=body)
        assert (answer.status_code, answer.json()["field"]) == (422, field)


@covers("GET /v1/audit/export", "GET /v1/audit/heads")
async def test_all_of_it_can_be_taken_away() -> None:
    """As JSON Lines, sealed with the key that is told beside the heads."""
    async with open_world() as world:
        ok(await world.editor.post("/v1/agent/tasks", json={"title": "t", "prompt": "p"}))
        await world.services.sealing.seal()
        answer = await world.client.get("/v1/audit/export")
        assert answer.headers["content-type"] == "application/x-ndjson"
        created, checkpoint = map(json.loads, answer.text.splitlines())
        assert (created["action"], created["number"]) == ("task.created", 1)
        assert checkpoint["action"] == CHECKPOINT and checkpoint["metadata"]["head"] == created["hash"]
        heads = await world.get("/v1/audit/heads")
        assert heads["key"] == checkpoint["metadata"]["key"]
        own = {"chain": created["chain"], "start": 0, "number": 2, "hash": checkpoint["hash"], "ended": False}
        assert heads["chains"] == [own]
        await world.services.backend.audit.keep(DEFAULT_TENANT, "of-another.0", 0, [Link(1, b'{"action":"x"}')])
        assert {each["chain"]: each["ended"] for each in (await world.get("/v1/audit/heads"))["chains"]} == {
            created["chain"]: False,
            "of-another.0": True,
        }


async def test_a_refusal_that_cannot_be_recorded_now_is_recorded_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is let in, nor told anything else, because the trail is away."""
    async with open_world() as world:

        async def away(*arguments: object, **more: object) -> None:
            raise Unavailable("The store does not answer")

        with monkeypatch.context() as patch:
            patch.setattr(Recording, "record", away)
            assert (await world.viewer.post("/v1/agent/tasks", json={"prompt": "p"})).status_code == 403
        (denied,) = await told(world, outcome="denied")
        assert (denied["actor"], denied["metadata"]["count"]) == ("viewer", 1)


async def test_only_operators_and_administrators_may_look() -> None:
    async with open_world() as world:
        for client in (world.editor, world.viewer, world.worker):
            answers: list[httpx.Response] = [
                await client.get(EVENTS),
                await client.post("/v1/audit/query", json={}),
                await client.get("/v1/audit/heads"),
                await client.get("/v1/audit/export"),
            ]
            assert [each.status_code for each in answers] == [403] * 4


async def test_every_change_of_what_is_registered_has_a_record() -> None:
    """By whom, and when it was made, however long ago the thing was last heard of."""
    async with open_world() as world:
        await world.register()
        codebase = await world.codebase()
        ok(await world.client.post("/v1/agent/agents", json={"name": "reviewer"}))
        world.clock.advance(days=6)
        await world.register(name="renamed")
        ok(await world.client.post("/v1/agent/agents", json={"name": "reviewer", "url": "http://elsewhere"}))
        ok(await world.client.post(f"/v1/agent/codebases/{codebase}/watch/start"))
        ok(await world.client.post("/v1/agent/workers/wrk-1/unregister"))
        ok(await world.client.delete("/v1/agent/agents/reviewer"))
        since = (world.clock.now() - timedelta(hours=1)).isoformat()
        actions = [each["action"] for each in reversed(await told(world, since=since))]
        assert [each for each in actions if ":" not in each] == [
            "worker.changed",
            "agent.changed",
            "codebase.changed",
            "worker.left",
            "agent.removed",
        ]


async def test_an_attempt_at_another_tenants_account_is_told_there() -> None:
    """And one at an account that there is none of, to nobody's but the default one."""
    async with open_world() as world:
        acme = Principal(name="root", tenant=TenantId("acme"), roles=frozenset({"admin"}))
        await world.services.accounts.add(acme, "ann", "correct horse", frozenset({"editor"}))
        for tenant, name in (("acme", "ann"), ("acme", "nobody"), ("umbrella", "ann")):
            body = {"username": name, "password": "wrong", "tenant_id": tenant}
            assert (await world.client.post("/v1/auth/login", json=body)).status_code == 401
        assert {chain.tenant for chain in await world.services.backend.audit.chains()} == {"acme", "default"}
        query = AuditQuery(outcomes=frozenset({Outcome.DENIED}))
        found = await world.services.auditing.find(acme, query, limit=10)
        assert [each.resource for each in found.records] == ["account/ann"]
        assert len(await told(world, outcome="denied")) == 2


async def test_of_a_change_that_came_too_late_there_is_a_count() -> None:
    """Somebody else was faster; the trail has who tried."""
    async with open_world() as world:
        task = ok(await world.editor.post("/v1/agent/tasks", json={"title": "t", "prompt": "p"}))["id"]
        for client in (world.editor, world.client):
            ok(await client.post(f"/v1/agent/tasks/{task}/cancel"))
        found = {(each["actor"], each["action"]) for each in await told(world)}
        assert found >= {("editor", "task.cancelled"), ("admin", "tasks:write")}


async def test_records_that_are_none_stop_nobody() -> None:
    """Somebody wrote to the store; what is wrong is for ``codetether audit verify`` to name."""
    async with open_world() as world:
        ok(await world.editor.post("/v1/agent/tasks", json={"title": "t", "prompt": "p"}))
        (chain,) = await world.services.backend.audit.chains()
        for body in (b"{audit.checkpoint", b"{}", b'{"action":"audit.checkpoint"}', b"[]"):
            await world.services.backend.audit.keep(DEFAULT_TENANT, chain.name, 0, [Link(0, body)])
        await world.services.sealing.seal()
        assert (await told(world, action="task.created"))[0]["actor"] == "editor"
        assert (await world.client.get("/v1/audit/heads")).status_code == 200
