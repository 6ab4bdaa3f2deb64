"""MCP with tokens of a real OpenID provider, wherever it is served: which count, and what is said to whose do not."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests.e2e.programs import Program, start, until
from tests.mcp.hub import HANDSHAKE, MODERN, RPC, envelope, named
from tests.servers.identity import IdentityProvider, running

METADATA = "/.well-known/oauth-protected-resource"


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IdentityProvider]:
    with running(tmp_path_factory.mktemp("identity")) as provider:
        yield provider


@pytest.fixture(scope="module")
def places(provider: IdentityProvider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """Where MCP is to be had: on the API's port, on its own of the same process, and from another that passes it on."""
    directory = tmp_path_factory.mktemp("up")
    settings = {
        "CODETETHER_DATA_DIR": str(directory / "data"),
        "CODETETHER_OIDC_ISSUER": provider.issuer,
        "CODETETHER_PORT": "0",
    }
    up = ("-m", "codetether_apps.standalone", "--codebase", f"demo:{directory}")
    with ended(start(directory / "up.log", settings, *up)) as program:
        (own,) = until(lambda: re.findall(r"(http://\S+)/mcp/v1/rpc", program.said), "MCP's address")
        (api,) = re.findall(r"listens on (http://\S+)", program.said)
        passing = start(directory / "mcp.log", {"CODETETHER_SERVER": api}, "-m", "codetether_apps.mcp")
        with ended(passing):
            (beside,) = until(lambda: re.findall(r'"url": ?"(http://[^"]+)"', passing.said), "its address")
            yield {"api": api, "own": own, "beside": beside}


@contextmanager
def ended(program: Program) -> Iterator[Program]:
    """It is asked to leave in the end, and does."""
    try:
        yield program
    finally:
        program.signal(signal.SIGTERM)
        assert program.wait() == 0, program.said


@pytest.fixture(params=["api", "own", "beside"])
def url(request: pytest.FixtureRequest, places: Mapping[str, str]) -> str:
    return places[request.param]


def call(url: str, token: str | None, tool: str, era: str = MODERN, **arguments: Any) -> httpx.Response:
    params = {"name": tool, "arguments": arguments}
    shown = {} if token is None else {"Authorization": f"Bearer {token}"}
    headers = named("tools/call", params, era) | shown
    return httpx.post(url + RPC, json=envelope("tools/call", params, era), headers=headers, timeout=30)


def test_its_card_says_where_it_was_found(url: str) -> None:
    (entry,) = httpx.get(f"{url}/.well-known/ai-catalog.json").json()["entries"]
    assert entry["url"] == f"{url}{RPC}/server-card"
    for path in (RPC, "/mcp"):
        found = httpx.get(f"{url}{path}/server-card")
        (remote,) = found.json()["remotes"]
        assert remote["url"] == f"{url}{path}"
        again = httpx.get(f"{url}{path}/server-card", headers={"If-None-Match": found.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")


def challenge(answer: httpx.Response) -> dict[str, str]:
    """What is said of how to do better."""
    scheme, _, parameters = answer.headers["www-authenticate"].partition(" ")
    assert scheme == "Bearer"
    return dict(re.findall(r'([a-z_]+)="([^"]*)"', parameters))


@pytest.mark.parametrize("era", [MODERN, HANDSHAKE])
def test_a_token_for_us_counts(url: str, era: str, provider: IdentityProvider) -> None:
    answer = call(url, provider.token(roles="viewer"), "list_codebases", era)
    assert answer.status_code == 200, answer.text
    assert '"isError":false' in answer.text


@pytest.mark.parametrize("era", [MODERN, HANDSHAKE])
def test_a_token_for_somebody_else_does_not_and_who_shows_it_is_told_where_to_get_ours(
    url: str, era: str, provider: IdentityProvider
) -> None:
    foreign = provider.token(audience="urn:somebody-else", roles="admin")
    for shown in (foreign, None):
        refused = call(url, shown, "list_codebases", era)
        assert refused.status_code == 401
        told = challenge(refused)
        assert told["resource_metadata"] == f"{url}{METADATA}{RPC}"
        assert told["scope"] == "openid profile"
        assert told.get("error") == ("invalid_token" if shown else None)
        metadata = httpx.get(told["resource_metadata"]).json()
        assert (metadata["resource"], metadata["authorization_servers"]) == (f"{url}{RPC}", [provider.issuer])
    guessed = challenge(httpx.post(f"{url}/mcp", json={}))["resource_metadata"]
    assert (guessed, httpx.get(guessed).json()["resource"]) == (f"{url}{METADATA}/mcp", f"{url}/mcp")


@pytest.mark.parametrize("era", [MODERN, HANDSHAKE])
def test_a_token_that_may_too_little_is_told_what_it_takes(url: str, era: str, provider: IdentityProvider) -> None:
    refused = call(url, provider.token(roles="viewer"), "create_task", era, codebase="global", prompt="p")
    assert refused.status_code == 403
    told = challenge(refused)
    assert (told["error"], told["scope"]) == ("insufficient_scope", "tasks:write")
    assert told["resource_metadata"] == f"{url}{METADATA}{RPC}"
    enough = call(url, provider.token(roles="editor"), "create_task", era, codebase="global", prompt="p")
    assert enough.status_code == 200
