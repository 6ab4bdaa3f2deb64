"""The agent card: for everybody, with our own address, and not sent again to who has it."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64decode
from collections.abc import Mapping
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from codetether_adapters.http import Application
from codetether_apps.settings import read_settings
from codetether_apps.wiring.a2a import card_routes, open_cards
from codetether_core.services import RolePolicy, Services
from tests.http.coverage import covers
from tests.http.harness import NOW, Peer, application, client_of

PATH = "/.well-known/agent-card.json"
KEYS = "/.well-known/jwks.json"
PROXIES = (ip_network("127.0.0.0/8"),)


class Moving:
    """A clock that the test moves, and a provider that tells what the test says."""

    def __init__(self) -> None:
        self.at = NOW
        self.told: dict[str, Any] = {}

    def now(self) -> Any:
        return self.at


def app(moving: Moving | None = None, environment: Mapping[str, str] | None = None, **settings: Any) -> Application:
    moving = moving or Moving()
    given = read_settings(environment=environment or {}, directory=Path("/nowhere"))
    keeping = SimpleNamespace(possible=False)
    services = cast(Services, SimpleNamespace(clock=moving, webhook_keeping=keeping))
    cards = open_cards(given, services, RolePolicy(), lambda: moving.told)
    return application(*card_routes(cards), public_url=given.server.public_url or "", **settings)


async def card(headers: dict[str, str] | None = None, path: str = PATH, **settings: Any) -> Any:
    async with client_of(app(**settings)) as client:
        answer = await client.get(path, headers=headers or {})
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
        return answer.json()


@covers(f"GET {PATH}", "GET /.well-known/agent.json")
@pytest.mark.parametrize("path", [PATH, "/.well-known/agent.json"])
async def test_anybody_learns_who_we_are_and_how_to_sign_in(path: str) -> None:
    found = await card(path=path)
    for member in ("name", "description", "url", "version", "protocolVersion"):
        assert isinstance(found[member], str) and found[member]
    (name,) = found["security"][0]
    assert found["securitySchemes"][name]["scheme"] == "bearer"
    assert found["securitySchemes"][name]["httpAuthSecurityScheme"]["scheme"] == "bearer"
    assert found["securityRequirements"] == [{"schemes": {name: {"list": []}}}]


async def test_clients_of_both_releases_find_where_they_are_understood() -> None:
    found = await card(environment={"CODETETHER_PUBLIC_URL": "https://a.test/", "CODETETHER_SECRET_KEY": "k" * 32})
    assert [
        (each["url"], each["protocolBinding"], each["protocolVersion"]) for each in found["supportedInterfaces"]
    ] == [
        ("https://a.test/v1/a2a", "JSONRPC", "1.0"),
        ("https://a.test/a2a/rest", "HTTP+JSON", "1.0"),
        ("https://a.test/v1/a2a", "JSONRPC", "0.3"),
    ]
    assert (found["url"], found["preferredTransport"]) == ("https://a.test/v1/a2a", "JSONRPC")
    assert found["additionalInterfaces"] == [{"url": "https://a.test/v1/a2a", "transport": "JSONRPC"}]
    assert found["capabilities"] | {"extensions": []} == {
        "streaming": True,
        "pushNotifications": False,
        "extendedAgentCard": True,
        "extensions": [],
    }


async def test_strangers_are_told_of_nobody() -> None:
    assert [each["id"] for each in (await card())["skills"]] == ["task_delegation"]


async def test_a_card_without_release_0_3() -> None:
    found = await card(environment={"CODETETHER_PURE_CARD": "yes"})
    assert not found.keys() & {"url", "protocolVersion", "security", "supportsAuthenticatedExtendedCard"}
    assert found["securitySchemes"]["bearer"].keys() == {"httpAuthSecurityScheme"}


async def test_where_nobody_has_to_sign_in_nothing_is_said_of_it() -> None:
    found = await card(environment={"CODETETHER_AUTH": "off"})
    assert not found.keys() & {"securitySchemes", "securityRequirements", "security"}
    assert found["capabilities"]["extendedAgentCard"] is found["supportsAuthenticatedExtendedCard"] is False


async def test_every_way_to_sign_in_that_is_there_is_named() -> None:
    moving = Moving()
    environment = {
        "CODETETHER_OIDC_ISSUER": "https://id.test/team",
        "CODETETHER_CLIENT_CERTIFICATES": "bot:worker=cn:bot",
    }
    one = app(moving, environment)
    async with client_of(one) as client:
        before = (await client.get(PATH)).json()
        assert before["securitySchemes"].keys() == {"bearer", "oidc", "mtls"}
        there = "https://id.test/team/.well-known/openid-configuration"
        assert before["securitySchemes"]["oidc"]["openIdConnectSecurityScheme"]["openIdConnectUrl"] == there
        moving.told = {"token_endpoint": "https://id.test/t", "authorization_endpoint": "https://id.test/a"}
        after = (await client.get(PATH)).json()
        assert after["securitySchemes"].keys() == {"bearer", "oidc", "oauth2_authorization_code", "mtls"}
        flow = after["securitySchemes"]["oauth2_authorization_code"]["oauth2SecurityScheme"]["flows"]
        assert flow["authorizationCode"]["tokenUrl"] == "https://id.test/t"
        assert [next(iter(each)) for each in after["security"]] == [*after["securitySchemes"]]


@pytest.mark.parametrize(
    ("settings", "headers", "url"),
    [
        ({}, {"Host": "10.0.0.1:8000"}, "http://10.0.0.1:8000"),
        ({}, {"Host": "[::1]:8000"}, "http://[::1]:8000"),
        ({}, {"Host": ""}, "http://localhost"),
        ({"base_path": "/tether"}, {"Host": "hub.test"}, "http://hub.test/tether"),
        (
            {"environment": {"CODETETHER_PUBLIC_URL": "https://tether.example", "CODETETHER_SECRET_KEY": "k" * 32}},
            {"Host": "10.0.0.1:8000"},
            "https://tether.example",
        ),
        (
            {"environment": {"CODETETHER_PUBLIC_URL": "https://a.test/hub/", "CODETETHER_SECRET_KEY": "k" * 32}},
            {"X-Forwarded-Host": "evil.test", "X-Forwarded-Prefix": "/evil"},
            "https://a.test/hub",
        ),
    ],
)
async def test_the_address_is_the_public_one_or_that_of_the_request(
    settings: dict[str, Any], headers: dict[str, str], url: str
) -> None:
    assert (await card(headers, trusted_proxies=PROXIES, **settings))["url"] == f"{url}/v1/a2a"


@pytest.mark.parametrize(
    ("headers", "url"),
    [
        ({"X-Forwarded-Proto": "https"}, "https://hub.test"),
        ({"X-Forwarded-Proto": "https", "X-Forwarded-Host": "a.test"}, "https://a.test"),
        ({"X-Forwarded-Host": "evil.test, a.test:81"}, "http://a.test:81"),
        ({"X-Forwarded-Host": "a.test", "X-Forwarded-Prefix": "/hub/"}, "http://a.test/hub"),
        ({"X-Forwarded-Host": "a.test/path"}, "http://hub.test"),
        ({"X-Forwarded-Prefix": "//evil.test"}, "http://hub.test"),
        ({"X-Forwarded-Prefix": '/"'}, "http://hub.test"),
    ],
)
async def test_a_proxy_that_is_trusted_is_believed_and_no_other(headers: dict[str, str], url: str) -> None:
    assert (await card(headers, trusted_proxies=PROXIES))["url"] == f"{url}/v1/a2a"
    strangers = (ip_network("10.0.0.0/8"),)
    assert (await card(headers, trusted_proxies=strangers))["url"] == "http://hub.test/v1/a2a"


async def test_a_request_without_a_host_is_answered() -> None:
    peer = Peer(app(), PATH)
    peer.say()
    await peer.end()
    assert json.loads(peer.body)["url"] == "http://localhost/v1/a2a"


async def test_who_has_it_is_not_sent_it_again() -> None:
    async with client_of(app()) as client:
        first = await client.get(PATH)
        tag, changed = first.headers["etag"], first.headers["last-modified"]
        assert tag.startswith('W/"')
        assert (first.headers["cache-control"], changed) == ("public, max-age=300", "Sun, 22 Nov 2026 12:00:00 GMT")
        later, earlier = "Sun, 22 Nov 2026 13:00:00 GMT", "Sun, 22 Nov 2026 11:59:59 GMT"
        for headers, status in (
            ({"If-None-Match": tag}, 304),
            ({"If-None-Match": tag.removeprefix("W/")}, 304),
            ({"If-None-Match": f'"other", {tag}'}, 304),
            ({"If-None-Match": "*"}, 304),
            ({"If-None-Match": 'W/"other"'}, 200),
            ({"If-None-Match": 'W/"other"', "If-Modified-Since": later}, 200),
            ({"If-None-Match": tag, "If-Modified-Since": earlier}, 304),
            ({"If-Modified-Since": changed}, 304),
            ({"If-Modified-Since": later}, 304),
            ({"If-Modified-Since": earlier}, 200),
            ({"If-Modified-Since": "yesterday"}, 200),
            ({"If-Modified-Since": "Sun, 22 Nov 2026 13:00:00"}, 200),
        ):
            answer = await client.get(PATH, headers=headers)
            assert answer.status_code == status, headers
            assert (answer.headers["etag"], answer.headers["last-modified"]) == (tag, changed)
            assert (answer.content == b"") == (status == 304)
            assert ("content-type" in answer.headers) == (status == 200)


async def test_only_the_head() -> None:
    async with client_of(app()) as client:
        whole, head = await client.get(PATH), await client.head(PATH)
        assert (head.status_code, head.headers["etag"]) == (200, whole.headers["etag"])
        assert head.headers["content-length"] == str(len(whole.content))
        known = await client.head(PATH, headers={"If-None-Match": whole.headers["etag"]})
        assert known.status_code == 304


async def test_a_card_that_changes_has_another_tag_and_date() -> None:
    moving = Moving()
    async with client_of(app(moving, {"CODETETHER_OIDC_ISSUER": "https://id.test"})) as client:
        first = await client.get(PATH)
        moving.at += timedelta(hours=1)
        assert (await client.get(PATH)).headers["last-modified"] == first.headers["last-modified"]
        moving.told = {"token_endpoint": "https://id.test/t", "authorization_endpoint": "https://id.test/a"}
        second = await client.get(PATH, headers={"If-None-Match": first.headers["etag"]})
        assert second.headers["etag"] != first.headers["etag"]
        assert second.headers["last-modified"] == "Sun, 22 Nov 2026 13:00:00 GMT"


async def test_every_address_has_its_own_card() -> None:
    async with client_of(app()) as client:
        here, there = [await client.get(PATH, headers={"Host": host}) for host in ("a.test", "b.test")]
        assert (here.json()["url"], there.json()["url"]) == ("http://a.test/v1/a2a", "http://b.test/v1/a2a")
        assert here.headers["etag"] != there.headers["etag"]


@covers(f"GET {KEYS}")
async def test_the_keys_are_there_where_the_card_says() -> None:
    environment = {"CODETETHER_PUBLIC_URL": "https://a.test/hub", "CODETETHER_SECRET_KEY": "k" * 32}
    async with client_of(app(None, environment)) as client:
        (signature,) = (await client.get(PATH)).json()["signatures"]
        header = json.loads(urlsafe_b64decode(signature["protected"] + "=="))
        answer = await client.get(KEYS)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/jwk-set+json")
        (key,) = answer.json()["keys"]
        assert header == {"alg": "ES256", "kid": key["kid"], "typ": "JOSE", "jku": f"https://a.test/hub{KEYS}"}
        assert "d" not in key


async def test_a_card_has_a_signature_by_every_key_that_is_set() -> None:
    keys = f"old:{b64encode(b'o' * 32).decode()},new:{b64encode(b'n' * 32).decode()}"
    environment = {"CODETETHER_PUBLIC_URL": "https://a.test", "CODETETHER_CARD_KEYS": keys}
    async with client_of(app(None, environment)) as client:
        signatures = (await client.get(PATH)).json()["signatures"]
        kids = [json.loads(urlsafe_b64decode(each["protected"] + "=="))["kid"] for each in signatures]
        assert kids == [key["kid"] for key in (await client.get(KEYS)).json()["keys"]] == ["old", "new"]


async def test_signing_again_changes_no_tag() -> None:
    environment = {"CODETETHER_PUBLIC_URL": "https://a.test", "CODETETHER_SECRET_KEY": "k" * 32}
    answers = []
    for _ in range(2):
        async with client_of(app(None, environment)) as client:
            answers.append(await client.get(PATH))
    assert answers[0].content != answers[1].content
    assert answers[0].headers["etag"] == answers[1].headers["etag"]


async def test_who_chooses_our_address_does_not_get_it_signed() -> None:
    """Else anybody could have a card of ours that sends our clients elsewhere."""
    async with client_of(app(None, {"CODETETHER_SECRET_KEY": "k" * 32})) as client:
        assert "signatures" not in (await client.get(PATH, headers={"Host": "evil.test"})).json()
        assert (await client.get(KEYS)).json() == {"keys": []}
