"""The agent card: for everybody, with our own address, and no interface that is not there."""

import json
from typing import Any

import pytest

from codetether_adapters.http import Interface
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
    assert found["skills"] == found["supportedInterfaces"] == found["additionalInterfaces"] == []


async def test_clients_of_both_releases_find_where_they_are_understood() -> None:
    interfaces = [Interface("/rpc", "JSONRPC", "1.0"), Interface("/rest", "HTTP+JSON", "1.0")]
    found = await card(public_url="https://a.test/", interfaces=[*interfaces, Interface("/old", "JSONRPC", "0.3")])
    assert [
        (each["url"], each["protocolBinding"], each["protocolVersion"]) for each in found["supportedInterfaces"]
    ] == [
        ("https://a.test/rpc", "JSONRPC", "1.0"),
        ("https://a.test/rest", "HTTP+JSON", "1.0"),
        ("https://a.test/old", "JSONRPC", "0.3"),
    ]
    assert (found["url"], found["preferredTransport"]) == ("https://a.test/old", "JSONRPC")
    assert found["additionalInterfaces"] == [{"url": "https://a.test/old", "transport": "JSONRPC"}]
    assert found["capabilities"]["streaming"] is True


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
