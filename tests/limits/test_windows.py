"""Counting within windows of time, here and in Redis."""

from __future__ import annotations

import uuid

import pytest
from structlog.testing import capture_logs

from codetether_adapters.limits import open_windows, windows
from codetether_core.ports import RateLimiter
from tests.servers.valkey import own_server

pytestmark = pytest.mark.anyio


async def allowed(limiter: RateLimiter, times: int, *subject: str) -> list[bool]:
    """Whether each was within the limit."""
    return [await limiter.hit("rule", *subject) is None for _ in range(times)]


@pytest.mark.parametrize("shared", [False, True])
async def test_each_subject_has_its_own_allowance(shared: bool) -> None:
    """In Redis, of all servers together."""
    url = own_server().url if shared else None
    one, other = uuid.uuid4().hex, uuid.uuid4().hex
    rules = {"rule": "3/day"}
    async with open_windows(rules, url) as limiter, open_windows(rules, url) as second:
        assert await allowed(limiter, 4, "a", one) == [True, True, True, False]
        assert await allowed(limiter, 1, "a", other) == [True]
        assert await allowed(limiter, 1, f"a{one}") == [True]
        assert await allowed(second, 1, "a", one) == [not shared]
        refused = await limiter.hit("rule", "a", one)
        assert refused is not None and refused.limit == 3 and 0 < refused.resets_in.total_seconds() <= 2 * 86_400


async def test_without_a_rule_nothing_is_too_much() -> None:
    async with open_windows({}) as limiter:
        assert await limiter.hit("rule", "a") is None


async def test_a_limiter_that_is_away_stops_nobody() -> None:
    """And says so once."""
    async with open_windows({"rule": "1/day"}, "redis://127.0.0.1:1/0") as limiter:
        with capture_logs() as logs:
            for _ in range(3):
                assert await limiter.hit("rule", "a") is None
    assert [each["event"] for each in logs] == ["rate_limits_away"]


@pytest.mark.parametrize("url", ["memcached://x", "http://x"])
async def test_places_that_count_nothing(url: str) -> None:
    with pytest.raises(ValueError, match="redis://"):
        async with open_windows({"rule": "1/day"}, url):
            pytest.fail("it counts")


async def test_what_is_over_is_forgotten_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not with every count, which would cost the more the more strangers there are."""
    monkeypatch.setattr(windows, "_FORGET_EVERY", 0.01)
    async with open_windows({"rule": "1/second"}) as limiter:
        storage = limiter._limiter.storage
        assert isinstance(storage, windows._CalmMemory)
        for number in range(100):
            await limiter.hit("rule", str(number))
        assert len(storage.expirations) == 100
        for key in storage.expirations:
            storage.expirations[key] = 0.0
        timer = storage.timer
        assert timer is not None
        await timer
        assert not storage.expirations and not storage.storage
