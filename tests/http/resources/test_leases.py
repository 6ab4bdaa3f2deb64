"""Claim, renew, release, stopped."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from tests.http.coverage import covers
from tests.http.resources.harness import Api

W = "/v1/worker/tasks"
P = "/v1/agent"


@covers("POST /v1/worker/tasks/claim")
async def test_a_claim_grants_a_lease_and_the_task_runs(api: Api) -> None:
    id = (await api.task(run_timeout_seconds=90))["id"]
    claim = await api.bot.ok("POST", f"{W}/claim", {"task_id": id}, headers={"X-Worker-ID": "w1"})
    assert claim["lease"].keys() == {"token", "expires_at", "run_deadline", "ttl_seconds", "number"}
    assert (claim["lease"]["ttl_seconds"], claim["lease"]["number"]) == (60.0, 1)
    task = await api.shown(id)
    assert task == {**claim["task"], "attempts": [], "artifacts": [], "delegation": None}
    assert (task["status"], task["worker_id"], task["attempt"]) == ("running", "w1", 1)
    assert claim["lease"]["token"] not in str(task)


async def test_of_two_claims_one_wins_and_the_other_is_told_why_not(api: Api) -> None:
    id = (await api.task())["id"]
    bodies = [{"task_id": id, "worker_id": f"w{at}"} for at in range(8)]
    answers = await asyncio.gather(*(api.bot("POST", f"{W}/claim", body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7
    assert {answer.json().get("reason") for answer in answers} == {None, "running"}


async def test_a_claim_sent_again_with_its_key_gives_the_same_grant(api: Api) -> None:
    id = (await api.task())["id"]
    headers = {"Idempotency-Key": "0123456789abcdef"}
    first = await api.claimed(id, headers=headers)
    assert (await api.claimed(id, headers=headers))["lease"] == first["lease"]
    short = await api.bot.refused(
        422, "POST", f"{W}/claim", {"task_id": id, "worker_id": "w1"}, headers={"Idempotency-Key": "short"}
    )
    assert short["field"] == "Idempotency-Key"


async def test_claims_of_the_unknown_the_ended_and_the_unserved_are_refused(api: Api) -> None:
    await api.bot.refused(404, "POST", f"{W}/claim", {"task_id": "tsk_0", "worker_id": "w1"})
    ended = (await api.task())["id"]
    await api.alice.ok("POST", f"{P}/tasks/{ended}/cancel")
    assert (await api.bot.refused(409, "POST", f"{W}/claim", {"task_id": ended, "worker_id": "w1"}))[
        "reason"
    ] == "cancelled"
    await api.bot.ok("POST", f"{P}/workers/register", {"worker_id": "w1", "name": "one"})
    theirs = (await api.task(codebase_id=await api.codebase()))["id"]
    refused = await api.bot.refused(409, "POST", f"{W}/claim", {"task_id": theirs, "worker_id": "w1"})
    assert refused["reason"] == "codebase_not_served"
    assert (await api.shown(theirs))["status"] == "pending"


@covers("POST /v1/worker/tasks/renew", "POST /v1/worker/tasks/heartbeat")
async def test_renewals_keep_a_run_alive_that_would_lapse_otherwise(api: Api) -> None:
    id = (await api.task())["id"]
    token = (await api.claimed(id))["lease"]["token"]
    for path in ("renew", "heartbeat", "renew"):
        api.clock.advance(timedelta(seconds=50))
        body = {"task_id": id, "worker_id": "w1", "progress_pct": 3, "checkpoint_seq": 1}
        renewed = await api.bot.ok("POST", f"{W}/{path}", body, headers={"X-Lease-Token": token})
        assert renewed["lease_expires_at"] == renewed["lease"]["expires_at"]
        await api.alice.ok("POST", f"{P}/tasks/stuck/recover")
        assert (await api.shown(id))["status"] == "running"


@covers("POST /v1/worker/tasks/release")
async def test_release_gives_back_without_a_charge(api: Api) -> None:
    id = (await api.task())["id"]
    token = (await api.claimed(id))["lease"]["token"]
    body = {"task_id": id, "worker_id": "w1", "lease_token": token}
    assert (await api.bot.ok("POST", f"{W}/release", body))["status"] == "pending"
    task = await api.shown(id)
    assert (task["status"], task["attempts_charged"]) == ("pending", 0)
    assert (await api.bot.ok("POST", f"{W}/release", body))["status"] == "pending"


async def test_release_with_a_status_is_the_outcome(api: Api) -> None:
    id = (await api.task())["id"]
    token = (await api.claimed(id))["lease"]["token"]
    body = {"task_id": id, "worker_id": "w1", "lease_token": token, "status": "completed", "result": "r"}
    assert (await api.bot.ok("POST", f"{W}/release", body | {"session_id": "ses_1"}))["status"] == "completed"
    task = await api.shown(id)
    assert (task["status"], task["result"], task["session_id"]) == ("completed", "r", "ses_1")
    assert (await api.bot.ok("POST", f"{W}/release", body | {"status": "failed"}))["status"] == "completed"
    assert (await api.shown(id)) == task


@covers("POST /v1/worker/tasks/stopped")
async def test_stopped_is_for_cancelled_runs(api: Api) -> None:
    id = (await api.task())["id"]
    token = (await api.claimed(id))["lease"]["token"]
    body = {"task_id": id, "worker_id": "w1", "lease_token": token}
    await api.bot.refused(409, "POST", f"{W}/stopped", body)
    await api.alice.ok("POST", f"{P}/tasks/{id}/cancel")
    assert (await api.bot.ok("POST", f"{W}/stopped", body)) == {"success": True}
    assert (await api.shown(id))["stopped"] is True
