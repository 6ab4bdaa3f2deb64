"""Agents elsewhere, registered by their cards: by whom, with which secret, and what is then known of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import reduce
from typing import Any

import pytest

from codetether_adapters.peers import Cards
from codetether_adapters.signing import is_signed
from tests.http.resources.world import World, open_world
from tests.peers.far import CARD, URL, Far

AGENTS = "/v1/agent/agents"
BEARER = {
    "securitySchemes": {"b": {"httpAuthSecurityScheme": {"scheme": "bearer"}}},
    "securityRequirements": [{"schemes": {"b": {"list": []}}}],
}
DEEP = CARD | {"x": reduce(lambda inner, _: [inner], range(900), list[Any]())}


@pytest.fixture
def far() -> Far:
    return Far()


@pytest.fixture
async def world(anyio_backend: str, far: Far) -> AsyncIterator[World]:
    async with open_world(cards=Cards(far, is_signed)) as world:
        yield world


def told(name: str = "far", **members: Any) -> dict[str, Any]:
    return {"name": name, "card_url": f"{URL}/card.json", **members}


async def test_a_peer_is_what_its_card_says(world: World, far: Far) -> None:
    agent = (await world.post(AGENTS, **told()))["agent"]
    assert {name: agent[name] for name in ("name", "url", "description")} == {
        "name": "far",
        "url": f"{URL}/rpc",
        "description": "Far away",
    }
    peer = {"card_url": f"{URL}/card.json", "release": "1.0", "streams": True, "signed": False, "secret": None}
    assert peer.items() <= agent["peer"].items()
    assert agent == await world.get(f"{AGENTS}/far")
    world.clock.advance(days=365)
    assert [each["name"] for each in (await world.get(AGENTS))["agents"]] == ["far"]


async def test_it_is_read_again_when_it_is_registered_again(world: World, far: Far) -> None:
    await world.post(AGENTS, **told())
    far.card["capabilities"] = {}
    agent = (await world.post(AGENTS, **told(description="Not so far")))["agent"]
    assert (agent["peer"]["streams"], agent["description"]) == (False, "Not so far")
    plain = (await world.post(AGENTS, name="far"))["agent"]
    assert plain["peer"] is None


async def test_whoever_may_not_have_tasks_done_registers_none(world: World) -> None:
    """Tasks that name it are given to it, by whomever: its place is chosen by those alone who could do them."""
    made = await world.client.post("/v1/auth/keys", json={"name": "giver", "scopes": ["agents:write", "tasks:write"]})
    key = {"Authorization": f"Bearer {made.json()['token']}"}
    refused = await world.client.post(AGENTS, json=told(), headers=key)
    assert (refused.status_code, refused.json()["permission"]) == (403, "tasks:execute")
    assert (await world.get(AGENTS))["count"] == 0


async def test_a_secret_is_named_by_whoever_is_trusted_with_it(world: World) -> None:
    """Else whoever may register an agent would have any secret sent to a place of his own."""
    await world.client.put("/v1/secrets/far-key", json={"value": "a secret of ours"})
    made = await world.client.post(
        "/v1/auth/keys", json={"name": "w", "scopes": ["agents:write", "tasks:execute", "secrets:use"]}
    )
    for client, headers in ((world.editor, {}), (world.client, {"Authorization": f"Bearer {made.json()['token']}"})):
        refused = await client.post(AGENTS, json=told(secret="far-key"), headers=headers)
        assert (refused.status_code, refused.json()["permission"]) == (403, "secrets:write")
    agent = (await world.post(AGENTS, **told(secret="far-key")))["agent"]
    assert agent["peer"]["secret"] == "far-key"
    assert "a secret of ours" not in str(await world.get(f"{AGENTS}/far"))


async def test_a_secret_that_is_for_other_agents_is_not_sent_elsewhere(world: World) -> None:
    secret = {"value": "a secret of ours", "variable": "KEY"}
    for agents, status in (["claude"], 403), (["claude", "a2a"], 200):
        await world.client.put("/v1/secrets/far-key", json={**secret, "agents": agents})
        assert (await world.client.post(AGENTS, json=told(secret="far-key"))).status_code == status


async def test_a_secret_is_not_sent_where_a_card_says_that_nobody_vouches_for(world: World, far: Far) -> None:
    await world.client.put("/v1/secrets/far-key", json={"value": "a secret of ours"})
    far.card["supportedInterfaces"][0]["url"] = "http://127.0.0.1:10/rpc"
    refused = await world.client.post(AGENTS, json=told(secret="far-key"))
    assert (refused.status_code, refused.json()["code"]) == (422, "card_unfit")
    assert (await world.post(AGENTS, **told()))["agent"]["url"] == "http://127.0.0.1:10/rpc"


async def test_no_agent_is_spoken_to_less_safely_than_its_card_is_read(world: World) -> None:
    refused = await world.client.post(AGENTS, json=told(card_url="https://127.0.0.1:9/card.json"))
    assert (refused.status_code, refused.json()["code"]) == (422, "card_unfit")


async def test_no_peer_has_the_name_of_a_worker(world: World) -> None:
    """Whoever gives a task to that worker would have it done elsewhere."""
    await world.post("/v1/agent/workers/register", worker_id="w1", name="builder")
    for name in ("w1", "builder"):
        refused = await world.client.post(AGENTS, json=told(name))
        assert (refused.status_code, refused.json()["field"]) == (422, "name")


async def test_an_agent_that_asks_who_we_are_is_told_by_a_secret_that_there_is(world: World, far: Far) -> None:
    far.card |= BEARER
    refused = await world.client.post(AGENTS, json=told())
    assert (refused.status_code, refused.json()["field"]) == (422, "secret")
    missing = await world.client.post(AGENTS, json=told(secret="none"))
    assert missing.status_code == 404


@pytest.mark.parametrize(
    ("card", "url", "status", "code"),
    [
        (CARD, "ftp://far.test/card", 422, "invalid_request"),
        (CARD, "", 422, "invalid_request"),
        (CARD, "http://xn--a/", 422, "invalid_request"),
        (CARD | {"signatures": 5}, URL, 422, "card_signature_invalid"),
        (CARD | {"signatures": [5]}, URL, 422, "card_signature_invalid"),
        (DEEP | {"signatures": [{"protected": "e30", "signature": "x"}]}, URL, 422, "card_signature_invalid"),
        ({"name": "none"}, URL, 422, "card_unfit"),
        (CARD | {"signatures": [{"protected": "e30", "signature": "x"}]}, URL, 422, "card_signature_invalid"),
    ],
)
async def test_a_card_that_is_no_good_is_refused(
    world: World, far: Far, card: Any, url: str, status: int, code: str
) -> None:
    far.card = card
    refused = await world.client.post(AGENTS, json=told(card_url=url))
    assert (refused.status_code, refused.json()["code"], refused.json()["field"]) == (status, code, "card_url")


async def test_a_task_for_an_agent_elsewhere_says_which(world: World) -> None:
    refused = await world.client.post("/v1/agent/tasks", json={"prompt": "do it", "agent_type": "a2a"})
    assert (refused.status_code, refused.json()["field"]) == (422, "target_agent_name")


async def test_a_server_without_a_way_out_has_no_peers() -> None:
    async with open_world() as world:
        refused = await world.client.post(AGENTS, json=told())
        assert refused.status_code == 501
