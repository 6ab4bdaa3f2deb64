"""The way to an identity provider and back, as far as it is ours; ``tests/identity`` has a real one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from codetether_adapters.http import IdentityProvider, create_app
from codetether_adapters.http.resources import all_routes
from codetether_adapters.oidc import SignInUnknown
from codetether_core.access import Principal
from codetether_core.ports import BegunSignIn, FinishedSignIn, ProviderAnswer
from codetether_core.services import RolePolicy
from tests.http.conformance import checked
from tests.http.coverage import covers
from tests.http.harness import NOW, TOKENS
from tests.http.resources.world import open_world

LOGIN, CALLBACK = "/v1/auth/oidc/login", "/v1/auth/oidc/callback"
HOST = "https://hub.test"


class Provider:
    """Somebody who signs everybody in (port ``ProviderSignIn``); the cookie says where to go."""

    async def begin(self, redirect_uri: str, return_to: str) -> BegunSignIn:
        return BegunSignIn(url=f"https://idp.test/?redirect_uri={redirect_uri}", kept=return_to.encode().hex())

    async def finish(self, kept: str | None, answer: ProviderAnswer) -> FinishedSignIn:
        if kept is None or answer.error:
            raise SignInUnknown("Nobody")
        principal = Principal(
            name="ann@idp", roles=frozenset({"editor"}), expires_at=NOW + timedelta(minutes=5), provider="idp"
        )
        return FinishedSignIn(principal=principal, return_to=bytes.fromhex(kept).decode())


@asynccontextmanager
async def opened(asked: str = HOST, **settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A browser of a server with such a provider."""
    sign_in = settings.pop("sign_in", Provider())
    provider = IdentityProvider(issuer="https://idp.test", client_id="web", sign_in=sign_in)
    async with open_world() as world:
        app = create_app(
            world.services,
            authenticator=TOKENS,
            authorizer=RolePolicy(),
            routes=all_routes(),
            **{"provider": provider, **settings},
        )
        transport = httpx.ASGITransport(app)
        hooks = {} if "base_path" in settings else checked(app)
        async with httpx.AsyncClient(transport=transport, base_url=asked, event_hooks=hooks) as browser:
            yield browser


@covers("GET /v1/auth/oidc/login")
@covers("GET /v1/auth/oidc/callback")
async def test_there_and_back() -> None:
    """The browser keeps one cookie on the way, which is good once, and the sign-in's at the end."""
    async with opened() as browser:
        there = await browser.get(LOGIN, params={"return_to": "/tasks?open=1#x"})
        assert (there.status_code, there.text, there.headers["cache-control"]) == (303, "", "no-store")
        assert there.headers["location"] == f"https://idp.test/?redirect_uri={HOST}{CALLBACK}"
        (cookie,) = there.headers.get_list("set-cookie")
        assert cookie.endswith("; Path=/; Max-Age=600; SameSite=Lax; HttpOnly; Secure")
        assert cookie.startswith("__Host-ct_sign_in=")
        back = await browser.get(CALLBACK, params={"code": "c", "state": "s"})
        assert (back.status_code, back.headers["location"]) == (303, "/tasks?open=1#x")
        assert set(browser.cookies) == {"__Host-ct_session", "__Secure-ct_refresh", "ct_csrf"}
        again = await browser.get(CALLBACK, params={"code": "c", "state": "s"})
        assert again.status_code == 401


async def test_without_a_wish_the_first_page_is_shown() -> None:
    async with opened(base_path="/below") as browser:
        ok = await browser.get(f"/below{LOGIN}")
        assert ok.headers["location"] == f"https://idp.test/?redirect_uri={HOST}/below{CALLBACK}"
        (cookie,) = ok.headers.get_list("set-cookie")
        assert cookie.startswith("__Secure-ct_sign_in=") and "; Path=/below/v1/auth/oidc; " in cookie
        assert (await browser.get(f"/below{CALLBACK}", params={"code": "c"})).headers["location"] == "/below/"


async def test_a_sign_in_that_fails_is_forgotten() -> None:
    """Whatever came of it, what the browser kept is good no more."""
    async with opened() as browser:
        await browser.get(LOGIN)
        refused = await browser.get(CALLBACK, params={"error": "access_denied", "state": "s"})
        assert (refused.status_code, refused.headers["content-type"]) == (401, "application/problem+json")
        assert refused.headers.get_list("set-cookie") == [
            "__Host-ct_sign_in=; Path=/; Max-Age=0; SameSite=Lax; HttpOnly; Secure"
        ]
        assert (await browser.get(CALLBACK, params={"code": "c"})).status_code == 401


ELSEWHERE = [
    "https://evil.test/",
    "//evil.test",
    "///evil.test",
    "/\\evil.test",
    "\\\\evil.test",
    "/\t/evil.test",
    "/\n/evil.test",
    "\t//evil.test",
    " //evil.test",
    "/ /evil.test",
    "javascript:alert(1)",
    "evil.test",
    "?x",
    "#x",
    "",
    ".",
    "/é",
    "/\x00",
    "/\x7f",
    "/" + "x" * 1001,
]


@pytest.mark.parametrize("return_to", ELSEWHERE)
async def test_no_link_leads_away_from_here(return_to: str) -> None:
    async with opened() as browser:
        refused = await browser.get(LOGIN, params={"return_to": return_to})
        assert (refused.status_code, refused.json()["field"]) in ((422, "return_to"), (400, "return_to"))
        assert "set-cookie" not in refused.headers


@given(st.text(st.sampled_from("/\\.:@?#%\t\n\r ehttpsvil2fF5cé\x00"), max_size=12).map(lambda text: f"/{text}"))
@example("/..//evil.test")
@example("/%2F/evil.test")
@example("/%5Cevil.test")
@example("/.//evil.test")
async def test_whatever_is_asked_for_is_a_page_of_ours_or_refused(return_to: str) -> None:
    """As browsers read it: they take a backslash for a slash, and drop tabs and ends of lines (WHATWG URL)."""
    async with opened() as browser:
        there = await browser.get(LOGIN, params={"return_to": return_to})
        if there.status_code != 303:
            assert there.status_code in (400, 422)
            return
        back = await browser.get(CALLBACK, params={"code": "c"})
        location = back.headers["location"]
        assert location == return_to
        seen = location.translate(str.maketrans("\\", "/", "\t\n\r"))
        assert urlsplit(urljoin(f"{HOST}/x/y", seen))[:2] == ("https", "hub.test")
        assert not seen.startswith("//")


@pytest.mark.parametrize(
    ("asked", "settings", "status", "code"),
    [
        (HOST, {"provider": None}, 501, "not_configured"),
        (HOST, {"sign_in": None}, 501, "not_configured"),
        ("http://hub.test", {}, 501, "not_configured"),
        ("https://evil.test", {"public_url": HOST}, 403, "wrong_host"),
    ],
)
async def test_where_nobody_can_sign_in_so(asked: str, settings: dict[str, Any], status: int, code: str) -> None:
    async with opened(asked, **settings) as browser:
        for path in (LOGIN, CALLBACK):
            refused = await browser.get(path)
            assert (refused.status_code, refused.json()["code"]) == (status, code)
            assert "set-cookie" not in refused.headers


async def test_a_public_url_is_where_the_provider_sends_browsers() -> None:
    async with opened("http://hub.test", public_url=f"{HOST}/") as browser:
        there = await browser.get(LOGIN)
        assert there.headers["location"] == f"https://idp.test/?redirect_uri={HOST}{CALLBACK}"


async def test_a_page_that_failed_asks_for_no_password() -> None:
    """A browser would show a prompt of its own instead of what is wrong."""
    async with opened() as browser:
        head = {"Accept": "text/html"}
        refused = await browser.get(CALLBACK, headers=head)
        assert refused.headers.get_list("www-authenticate") == ['Bearer realm="codetether"']
