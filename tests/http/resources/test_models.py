"""Models and providers: those of workers that are there."""

from tests.http.coverage import covers
from tests.http.resources.world import open_world

MODEL = {
    "id": "anthropic/claude-x",
    "name": "claude-x",
    "provider": "anthropic",
    "provider_id": "anthropic",
    "capabilities": {"reasoning": True, "attachment": False, "tool_call": True},
}


@covers("GET /v1/agent/models", "GET /v1/agent/providers")
async def test_models_come_and_go_with_their_workers() -> None:
    async with open_world() as world:
        assert await world.get("/v1/agent/models") == {"models": [], "default": None}
        await world.register("wrk-1", "one", models=[MODEL])
        world.clock.advance(seconds=30)
        await world.register("wrk-2", "two", models=[MODEL, "local/small", "bare"])
        found = await world.get("/v1/opencode/models")
        assert [model["id"] for model in found["models"]] == ["anthropic/claude-x", "bare", "local/small"]
        assert found["default"] == "anthropic/claude-x"
        shared, bare, small = found["models"]
        assert shared["provider"] == "anthropic (via one)"
        assert (shared["capabilities"], shared["workers"]) == (MODEL["capabilities"], ["wrk-1", "wrk-2"])
        assert (small["name"], small["provider_id"], bare["provider_id"]) == ("small", "local", "unknown")
        providers = (await world.get("/v1/agent/providers"))["providers"]
        assert {each["id"]: each["models"] for each in providers} == {"anthropic": 1, "local": 1, "unknown": 1}
        world.clock.advance(seconds=30)
        assert (await world.get("/v1/agent/models"))["models"][0]["workers"] == ["wrk-2"]
        await world.post("/v1/agent/workers/wrk-2/unregister")
        assert await world.get("/v1/agent/models") == {"models": [], "default": None}
        assert await world.get("/v1/agent/providers") == {"providers": []}


async def test_a_model_told_twice_by_one_worker_is_one() -> None:
    async with open_world() as world:
        await world.register(models=[MODEL, MODEL])
        (model,) = (await world.get("/v1/agent/models"))["models"]
        assert model["workers"] == ["wrk-1"]
        assert (await world.get("/v1/agent/providers"))["providers"][0]["models"] == 1
