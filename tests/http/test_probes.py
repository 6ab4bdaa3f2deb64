"""Whether we live and are ready, said to everybody and without saying too much."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from codetether_adapters.http import checks as checking
from codetether_adapters.http.checks import Checks
from codetether_core.errors import Unavailable
from tests.http.harness import NOW, application, client_of


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
        assert (await client.get("/startupz")).json() == {"status": "started"}
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
    monkeypatch.setattr(checking, "_PATIENCE", 0.001)
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


class Counted:
    """A check that somebody counts, at a time that somebody sets."""

    def __init__(self) -> None:
        self.asked = 0
        self.begun = asyncio.Event()
        self.well = True
        self.now = NOW
        self.free = asyncio.Event()
        self.free.set()

    async def __call__(self) -> None:
        self.asked += 1
        self.begun.set()
        await self.free.wait()
        if not self.well:
            await down()

    def checks(self) -> Checks:
        return Checks({"store": self}, lambda: self.now)


async def test_strangers_that_ask_often_cost_nothing() -> None:
    """The store is asked once a second at most, by whichever probe."""
    store = Counted()
    async with client_of(application(ping=store, notifier=store)) as client:
        for path in ("/readyz", "/health", "/readyz?verbose") * 20:
            await client.get(path)
    assert store.asked == 2  # itself, and its notifier


async def test_a_result_is_good_for_a_second() -> None:
    """Then it is asked again, and a bad one is kept no longer than a good one."""
    store = Counted()
    checks = store.checks()
    assert await checks.results() == {"store": "ok"}
    store.well = False
    store.now += timedelta(microseconds=999_999)
    assert (await checks.results(), store.asked) == ({"store": "ok"}, 1)
    store.now += timedelta(microseconds=1)
    assert (await checks.results(), store.asked) == ({"store": "unavailable"}, 2)
    store.well = True
    assert (await checks.results(), store.asked) == ({"store": "unavailable"}, 2)
    store.now += timedelta(seconds=1)
    assert (await checks.results(), store.asked) == ({"store": "ok"}, 3)


async def test_it_is_asked_by_one_at_a_time() -> None:
    """All who come meanwhile get the same answer, also when the first of them is gone; it counts from when it came."""
    store = Counted()
    store.free.clear()
    checks = store.checks()
    waiting = [asyncio.create_task(checks.results()) for _ in range(20)]
    await store.begun.wait()
    waiting[0].cancel()
    store.now += timedelta(seconds=90)
    waiting.append(asyncio.create_task(checks.results()))
    await asyncio.sleep(0)
    store.free.set()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(results[0], asyncio.CancelledError)
    assert results[1:] == [{"store": "ok"}] * 20
    await checks.results()
    assert store.asked == 1
