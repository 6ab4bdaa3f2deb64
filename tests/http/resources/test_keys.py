"""A deployed worker's question for provider keys: answered, and with none."""

from tests.http.coverage import covers
from tests.http.resources.world import ok, open_world

SYNC = "/v1/opencode/api-keys/sync"


@covers("GET /v1/agent/api-keys/sync")
async def test_a_worker_gets_no_keys_whoever_it_asks_for() -> None:
    """The deployed server gave anybody's keys to anybody (wire.md, S-2)."""
    async with open_world() as world:
        answer = ok(await world.worker.get(SYNC, params={"worker_id": "wrk-1", "user_id": "somebody"}))
        now = "2026-11-22T12:00:00.123456Z"
        assert answer == {"user_id": "worker", "auth": {}, "providers": {}, "updated_at": now}
        world.clock.advance(seconds=1)
        assert ok(await world.worker.get(SYNC))["updated_at"] > now


async def test_nobody_else_is_answered() -> None:
    async with open_world() as world:
        assert (await world.viewer.get(SYNC)).status_code == 403
        assert (await world.client.get(SYNC, headers={"Authorization": ""})).status_code == 401
