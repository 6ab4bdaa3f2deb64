"""What every server has besides its resources: probes, and the description of them all."""

from codetether_adapters.http.resources import all_routes
from tests.http.coverage import covers
from tests.http.resources.world import open_world


@covers("GET /health", "GET /livez", "GET /readyz", "GET /startupz", "GET /version")
async def test_a_server_that_leaves_lives_and_is_not_ready() -> None:
    async with open_world() as world:
        assert (await world.get("/health"))["ready"] is True
        assert (await world.get("/readyz"))["status"] == "ready"
        name = await world.get("/version")
        world.app.drain.begin()
        assert (await world.get("/health"))["ready"] is False
        assert (await world.client.get("/readyz")).status_code == 503
        assert (await world.client.get("/livez")).status_code == 200
        assert (await world.get("/startupz"))["status"] == "started"
        assert await world.get("/version") == name


@covers("GET /openapi.json")
async def test_every_route_is_described() -> None:
    async with open_world() as world:
        paths = (await world.get("/openapi.json"))["paths"]
        described = {(method.upper(), path) for path, methods in paths.items() for method in methods}
        assert {(route.method, route.path.replace(":path}", "}")) for route in all_routes()} <= described
