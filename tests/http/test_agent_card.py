"""The agent card: for everybody, with our own address, and no interface that is not there."""

import json
from typing import Any

import pytest

from tests.http.coverage import covers
from tests.http.harness import Peer, application, client_of

PATH = "/.well-known/agent-card.json"


async def card(headers: dict[str, str] | None = None, **settings: Any) -> Any:
    async with client_of(application(**settings)) as client:
        answer = await client.get(PATH, headers=headers or {})
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
        return answer.json()


@covers(f"GET {PATH}")
async def test_anybody_learns_who_we_are_and_how_to_sign_in() -> None:
    found = await card(version="1.2.3")
    for member in ("name", "description", "url", "version", "protocolVersion"):
        assert isinstance(found[member], str) and found[member]
    assert found["version"] == "1.2.3"
    assert found["defaultInputModes"] == found["defaultOutputModes"] == ["text/plain"]
    (name,) = found["security"][0]
    assert found["securitySchemes"][name]["scheme"] == "bearer"


async def test_nothing_is_advertised_that_is_not_there() -> None:
    found = await card()
    assert found["capabilities"] == {"streaming": False, "pushNotifications": False}
    assert found["skills"] == found["supportedInterfaces"] == []
    assert "additionalInterfaces" not in found


@pytest.mark.parametrize(
    ("settings", "host", "url"),
    [
        ({"public_url": "https://tether.example"}, "10.0.0.1:8000", "https://tether.example"),
        ({}, "10.0.0.1:8000", "http://10.0.0.1:8000"),
        ({}, "[::1]:8000", "http://[::1]:8000"),
        ({"base_path": "/tether"}, "hub.test", "http://hub.test/tether"),
        ({}, "", "http://localhost"),
    ],
)
async def test_the_address_is_the_public_one_or_that_of_the_request(
    settings: dict[str, Any], host: str, url: str
) -> None:
    assert (await card({"Host": host}, **settings))["url"] == url


async def test_a_request_without_a_host_is_answered() -> None:
    peer = Peer(application(), PATH)
    peer.say()
    await peer.end()
    assert json.loads(peer.body)["url"] == "http://localhost"
