"""A server whose users an OpenID provider knows, and that starts and lives without it."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.programs import Program, start, until
from tests.identity.browser import enter_code
from tests.servers.identity import IdentityProvider, running


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[IdentityProvider]:
    """One that is away until it is started; its tokens are short."""
    with running(tmp_path) as provider:
        provider.stop()
        provider.ttl = 3
        yield provider


@pytest.fixture
def server(provider: IdentityProvider, tmp_path: Path) -> Iterator[Program]:
    settings = {
        "CODETETHER_DATA_DIR": str(tmp_path / "data"),
        "CODETETHER_OIDC_ISSUER": provider.issuer,
        "CODETETHER_OIDC_ROLES": "team=viewer",
        "CODETETHER_OIDC_CLIENT_ID": "web",
        "CODETETHER_PORT": "0",
    }
    program = start(tmp_path / "server.log", settings, "-m", "codetether_apps.server")
    try:
        yield program
    finally:
        program.signal(signal.SIGTERM)
        assert program.wait() == 0, program.said


def test_the_card_has_what_the_provider_offers_once_it_is_there(server: Program, provider: IdentityProvider) -> None:
    (url,) = until(lambda: re.findall(r'"url": "([^"]+)"', server.said), "the address")
    before = httpx.get(f"{url}/.well-known/agent-card.json")
    assert before.json()["securitySchemes"].keys() == {"bearer", "oidc"}
    provider.start()
    head = {"Authorization": f"Bearer {provider.token(roles='team')}"}
    until(lambda: httpx.get(f"{url}/v1/agent/tasks", headers=head).status_code == 200, "an answer")
    known = {"If-None-Match": before.headers["etag"]}
    found = httpx.get(f"{url}/.well-known/agent-card.json", headers=known).json()["securitySchemes"]
    assert found.keys() == {
        "bearer",
        "oidc",
        "oauth2_authorization_code",
        "oauth2_device_code",
        "oauth2_client_credentials",
    }
    assert httpx.get(found["oidc"]["openIdConnectUrl"]).json()["issuer"] == provider.issuer
    for name in found.keys() - {"bearer", "oidc"}:
        (flow,) = found[name]["oauth2SecurityScheme"]["flows"].values()
        assert flow["tokenUrl"] == f"{provider.issuer}/token"


def test_a_provider_that_comes_later_is_believed(server: Program, provider: IdentityProvider) -> None:
    """The server says that it is away; nobody else is kept waiting. A stream ends with the token that opened it."""
    (url,) = until(lambda: re.findall(r'"url": "([^"]+)"', server.said), "the address")
    until(lambda: "identity_away" in server.said and provider.issuer in server.said, "the complaint")
    assert httpx.get(f"{url}/readyz").status_code == 200
    provider.start()
    head = {"Authorization": f"Bearer {provider.token(roles='team')}"}
    until(lambda: httpx.get(f"{url}/v1/agent/tasks", headers=head).status_code == 200, "an answer")
    identity = httpx.get(f"{url}/v1/auth/session", headers=head).json()
    assert (identity["username"], identity["roles"]) == (f"robot@{provider.issuer}", ["viewer"])
    assert httpx.post(f"{url}/v1/agent/tasks", headers=head, json={"prompt": "p"}).status_code == 403
    head = {"Authorization": f"Bearer {provider.token(roles='team')}"}
    with httpx.stream("GET", f"{url}/v1/monitor/stream", headers=head, timeout=30) as stream:
        assert stream.status_code == 200
        stream.read()  # to its clean end


def test_the_command_signs_in_there(server: Program, provider: IdentityProvider, tmp_path: Path) -> None:
    """It shows what to open and what to enter, and acts for who did from then on."""
    (url,) = until(lambda: re.findall(r'"url": "([^"]+)"', server.said), "the address")
    provider.ttl = 600
    provider.start()
    settings = {"CODETETHER_DATA_DIR": str(tmp_path / "mine"), "CODETETHER_SERVER": url}
    login = start(tmp_path / "login.log", settings, "-m", "codetether_apps.cli", "login")
    (uri,) = until(lambda: re.findall(r"Open (\S+)\nand enter \S+", login.said), "the code")
    assert "Sign-in Success" in enter_code(uri, name="ann.team")
    assert login.wait() == 0, login.said
    name = f"ann.team@{provider.issuer}"
    assert f"signed in to {url} as {name}" in login.said
    whoami = start(tmp_path / "whoami.log", settings, "-m", "codetether_apps.cli", "whoami")
    assert whoami.wait() == 0
    assert whoami.said == f"{name} (viewer) in the tenant default\n"
