"""The whole way over real sockets: servers as processes, a real provider, a browser, and our command."""

from __future__ import annotations

import re
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from tests.e2e.programs import Program, start, until
from tests.identity.browser import agree
from tests.servers.identity import IdentityProvider, running
from tests.servers.valkey import fresh, own_server

pytestmark = pytest.mark.anyio

A = "/v1/auth"
OURS = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[IdentityProvider]:
    with running(tmp_path) as provider:
        yield provider


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@contextmanager
def serving(directory: Path, port: int, provider: IdentityProvider, **more: str) -> Iterator[str]:
    """A server's address."""
    settings = {
        "CODETETHER_DATA_DIR": str(directory),
        "CODETETHER_OIDC_ISSUER": provider.issuer,
        "CODETETHER_OIDC_ROLES": "team=editor",
        "CODETETHER_OIDC_CLIENT_ID": "web",
        "CODETETHER_PORT": str(port),
        **more,
    }
    program = start(directory.with_suffix(".log"), settings, "-m", "codetether_apps.server")
    try:
        yield address_of(program)
    finally:
        program.signal(signal.SIGTERM)
        assert program.wait() == 0, program.said
        for secret in ("ct_sgn_", "code=", "nonce="):
            assert secret not in program.said


def address_of(program: Program) -> str:
    (url,) = until(lambda: re.findall(r'"url": "([^"]+)"', program.said), "the address")
    return str(url)


async def test_a_browser_begins_at_one_server_and_goes_on_at_others(tmp_path: Path, provider: IdentityProvider) -> None:
    """Both are reached by one name. What it opened at one ends when it signs out at another."""
    port = free_port()
    name = {"Host": f"127.0.0.1:{port}"}
    shared = {
        "CODETETHER_STORE": fresh(own_server().url),
        "CODETETHER_SECRET_KEY": "k" * 32,
        "CODETETHER_TOKENS": "admin:the-administrators-token:admin",
        "CODETETHER_PUBLIC_URL": f"http://127.0.0.1:{port}",
    }
    with ExitStack() as stack:
        one = stack.enter_context(serving(tmp_path / "one", port, provider, **shared))
        two = stack.enter_context(serving(tmp_path / "two", 0, provider, **shared))
        async with httpx.AsyncClient(headers=name, timeout=30) as browser, httpx.AsyncClient() as pages:
            there = await browser.get(f"{one}{A}/oidc/login", params={"return_to": "/tasks"})
            assert there.headers["set-cookie"].endswith("; Path=/v1/auth/oidc; Max-Age=600; SameSite=Lax; HttpOnly")
            back = await agree(pages, there.headers["location"], name="ann.team")
            assert back.startswith(f"{one}{A}/oidc/callback?")
            done = await browser.get(back.replace(one, two))
            assert (done.status_code, done.headers["location"]) == (303, "/tasks"), done.text
            again = await browser.get(back)
            assert (again.status_code, again.json()["code"]) == (401, "sign_in_unknown")
            who = (await browser.get(f"{one}{A}/session")).json()
            assert (who["username"], who["roles"]) == (f"ann.team@{provider.issuer}", ["editor"])
            ours = OURS | {"X-CSRF-Token": who["csrf_token"]}
            assert (await browser.post(f"{one}{A}/logout", headers=OURS)).status_code == 403
            assert (await browser.post(f"{two}{A}/refresh", headers=ours)).status_code == 200
            async with browser.stream("GET", f"{two}/v1/monitor/stream", headers=OURS) as stream:
                assert stream.status_code == 200
                assert (await browser.post(f"{one}{A}/logout", headers=ours)).status_code == 200
                await stream.aread()  # to its clean end
            assert (await browser.get(f"{two}{A}/session")).status_code == 401
            elsewhere = await pages.get(f"{two}{A}/oidc/login")
            assert (elsewhere.status_code, elsewhere.json()["code"]) == (403, "wrong_host")


class Proxy(httpx.AsyncHTTPTransport):
    """Speaks TLS to browsers, as far as they can tell, and passes on what they ask to a server that does not."""

    def __init__(self, server: str) -> None:
        super().__init__()
        self._server = httpx.URL(server)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url.copy_with(scheme="http", host=self._server.host, port=self._server.port)
        passed_on = httpx.Request(
            request.method, url, headers=request.headers, stream=request.stream, extensions=request.extensions
        )
        return await super().handle_async_request(passed_on)


async def test_a_server_behind_a_proxy_is_a_client_with_a_secret(tmp_path: Path, provider: IdentityProvider) -> None:
    """Which is in a file. Browsers have its cookies for the proxy's name."""
    secret = tmp_path / "secret"
    secret.write_text("hub-secret\n")
    more = {
        "CODETETHER_PUBLIC_URL": "https://hub.test",
        "CODETETHER_OIDC_WEB_CLIENT_ID": "hub",
        "CODETETHER_OIDC_CLIENT_SECRET_FILE": str(secret),
        "CODETETHER_OIDC_SCOPES": "api",
    }
    with serving(tmp_path / "server", 0, provider, **more) as server:
        async with httpx.AsyncClient(mounts={"https://hub.test": Proxy(server)}, timeout=30) as browser:
            there = await browser.get(f"https://hub.test{A}/oidc/login")
            assert "scope=openid+profile+api" in there.headers["location"]
            done = await browser.get(await agree(browser, there.headers["location"], name="ann.team"))
            assert (done.status_code, done.headers["location"]) == (303, "/"), done.text
            assert (await browser.get(f"https://hub.test{A}/session")).json()["roles"] == ["editor"]


async def test_the_command_signs_in_with_this_machines_browser(tmp_path: Path, provider: IdentityProvider) -> None:
    """It takes one answer: that to its own question. Whoever else asks at its port is told so."""
    with serving(tmp_path / "server", 0, provider) as server, ExitStack() as stack:
        settings = {"CODETETHER_DATA_DIR": str(tmp_path / "mine"), "CODETETHER_SERVER": server}
        command = ("-m", "codetether_apps.cli", "login", "--browser")
        login = start(tmp_path / "login.log", settings | {"BROWSER": "echo opened %s"}, *command)
        stack.callback(login.kill)
        (url,) = until(lambda: re.findall(r"Open (\S+)\nin a browser", login.said), "the address")
        until(lambda: f"opened {url}" in login.said, "the browser")
        async with httpx.AsyncClient() as browser:
            back = await agree(browser, url, name="ann.team")
            assert re.match(r"http://127\.0\.0\.1:\d+/callback\?", back)
            for wrong in (re.sub(r"state=[^&]+", "state=x", back), back.replace("/callback", "/")):
                refused = await browser.get(wrong)
                assert (refused.status_code, login.process.poll()) == (400, None)
            assert "close" in (await browser.get(back)).text
        assert login.wait() == 0, login.said
        name = f"ann.team@{provider.issuer}"
        assert f"signed in to {server} as {name}" in login.said
        whoami = start(tmp_path / "whoami.log", settings, "-m", "codetether_apps.cli", "whoami")
        assert whoami.wait() == 0
        assert whoami.said == f"{name} (editor) in the tenant default\n"
        refused_login = start(tmp_path / "refused.log", settings | {"BROWSER": "true"}, *command)
        stack.callback(refused_login.kill)
        (url,) = until(lambda: re.findall(r"Open (\S+)\nin a browser", refused_login.said), "the address")
        async with httpx.AsyncClient() as browser:
            await browser.get(await agree(browser, url, name="ann.team", allow=False))
        assert refused_login.wait() == 3
        assert "The identity provider refused" in refused_login.said
