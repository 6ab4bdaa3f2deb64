"""Whether we live and are ready, said to everybody and without saying too much."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from codetether_adapters.http import probes
from codetether_core.errors import Unavailable
from tests.http.harness import application, client_of


async def down() -> None:
    raise Unavailable("postgresql://user:hunter2@db does not answer")


async def broken() -> None:
    raise OSError("hunter2")


async def hangs() -> None:
    await asyncio.Event().wait()


async def test_all_is_well() -> None:
    async with client_of(application(version="1.2.3")) as client:
        health = await client.get("/health")
        assert (health.status_code, health.json()) == (
            200,
            {"status": "healthy", "ready": True, "timestamp": "2026-11-22T12:00:00.123456Z"},
        )
        assert (await client.get("/livez")).json() == {"status": "alive"}
        assert (await client.get("/readyz")).json() == {"status": "ready"}
        for query in ("verbose", "verbose=true", "verbose=1"):
            verbose = await client.get(f"/readyz?{query}")
            assert verbose.json() == {"status": "ready", "checks": {"store": "ok", "notifier": "ok"}}
        assert (await client.get("/version")).json() == {"name": "codetether", "version": "1.2.3"}
        assert (await client.head("/health")).status_code == 200


@pytest.mark.parametrize(("ping", "why"), [(down, "unavailable"), (broken, "failed"), (hangs, "timeout")])
async def test_without_its_store_it_lives_and_is_not_ready(
    ping: Callable[[], Awaitable[None]], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A probe that fails says which check failed and never why: that may name a host or more."""
    monkeypatch.setattr(probes, "_PATIENCE", 0.001)
    async with client_of(application(ping=ping)) as client:
        assert (await client.get("/livez")).status_code == 200
        health = await client.get("/health")
        assert (health.status_code, health.json()["status"], health.json()["ready"]) == (200, "degraded", False)
        ready = await client.get("/readyz?verbose")
        assert (ready.status_code, ready.json()) == (
            503,
            {"status": "not_ready", "checks": {"store": why, "notifier": "ok"}},
        )
        assert (await client.get("/readyz")).json() == {"status": "not_ready"}
        assert "hunter2" not in ready.text + health.text


async def test_further_checks_count_too() -> None:
    async with client_of(application(checks={"policy": down})) as client:
        ready = await client.get("/readyz?verbose")
        assert (ready.status_code, ready.json()["checks"]) == (
            503,
            {"store": "ok", "policy": "unavailable", "notifier": "ok"},
        )


async def test_without_wake_ups_it_is_ready_and_says_so() -> None:
    """All goes on, a little later; taking the replica away would help nobody."""
    async with client_of(application(notifier=down)) as client:
        assert (await client.get("/health")).json()["ready"] is True
        assert (await client.get("/readyz")).status_code == 200
        ready = await client.get("/readyz?verbose")
        assert (ready.status_code, ready.json()) == (
            200,
            {"status": "ready", "checks": {"store": "ok", "notifier": "unavailable"}},
        )


async def test_whoever_leaves_lives_and_is_not_ready() -> None:
    app = application()
    app.drain.begin()
    async with client_of(app) as client:
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()) == (503, {"status": "draining"})
        assert (await client.get("/readyz?verbose")).json() == {
            "status": "draining",
            "checks": {"store": "ok", "notifier": "ok"},
        }
        assert (await client.get("/health")).json()["status"] == "degraded"
        assert (await client.get("/livez")).status_code == 200
