"""Browsers for tests: they keep the cookies that they are given, and say whose page asks if they are told to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from attrs import frozen

from codetether_adapters.http import Application, Route, create_app
from codetether_adapters.tokens import Chain, open_kept_tokens
from codetether_core.services import RolePolicy
from tests.http.conformance import checked
from tests.http.harness import TOKENS, Peer
from tests.http.resources.world import World, ok, open_world

A = "/v1/auth"
PASSWORD = "correct horse"
OURS = {"Sec-Fetch-Site": "same-origin"}
HOST = "https://hub.test"

OVER_TLS = {
    "__Host-ct_session": "Path=/; Max-Age=3600; SameSite=Lax; HttpOnly; Secure",
    "__Secure-ct_refresh": "Path=/v1/auth/refresh; Max-Age=2592000; SameSite=Strict; HttpOnly; Secure",
    "ct_csrf": "Path=/; Max-Age=2592000; SameSite=Strict; Secure",
}


@asynccontextmanager
async def browser_of(app: Application, origin: str = HOST, **options: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A browser: it keeps cookies, and sends them."""
    transport = httpx.ASGITransport(app, **options)
    async with httpx.AsyncClient(transport=transport, base_url=origin, event_hooks=checked(app)) as browser:
        yield browser


@asynccontextmanager
async def at_home(world: World, **settings: Any) -> AsyncIterator[Application]:
    """The same server with other settings."""
    async with open_kept_tokens(world.services.issuing, world.services.watching, world.clock) as kept:
        routes = settings.pop("routes", world.app.routes)
        yield create_app(
            world.services, authenticator=Chain((TOKENS, kept)), authorizer=RolePolicy(), routes=own(routes), **settings
        )


def own(routes: Any) -> list[Route]:
    """Those that an application does not have by itself."""
    return [route for route in routes if route.path.startswith(("/v1/", "/x"))]


async def account(world: World, name: str = "ann", *roles: str) -> None:
    """Somebody who may sign in."""
    body = {"name": name, "password": PASSWORD, "roles": roles or ["editor"]}
    assert (await world.client.post(f"{A}/accounts", json=body)).status_code == 201


async def sign_in(browser: httpx.AsyncClient, name: str = "ann", headers: dict[str, str] | None = None) -> Any:
    """The answer to a sign-in by cookie."""
    body = {"username": name, "password": PASSWORD, "cookies": True}
    return await browser.post(f"{A}/login", json=body, headers=OURS if headers is None else headers)


@frozen
class SignedIn:
    """A world in which ann is signed in by cookie."""

    world: World
    browser: httpx.AsyncClient
    csrf: str

    @property
    def ours(self) -> dict[str, str]:
        """What a page of ours adds to what it changes."""
        return {**OURS, "X-CSRF-Token": self.csrf}


@asynccontextmanager
async def open_signed_in() -> AsyncIterator[SignedIn]:
    """That world."""
    async with open_world() as world, browser_of(world.app) as browser:
        await account(world)
        told = ok(await sign_in(browser))
        yield SignedIn(world, browser, told["csrf_token"])


def cookies_of(answer: httpx.Response) -> dict[str, str]:
    """The ``Set-Cookie`` lines, by name, without what is in them."""
    found = {}
    for line in answer.headers.get_list("set-cookie"):
        name, _, rest = line.partition("=")
        found[name] = rest.partition("; ")[2]
    return found


def stream_of(signed_in: SignedIn, headers: dict[str, str] | None = None) -> Peer:
    """The monitor, as a page of the browser follows it (``EventSource``)."""
    cookie = f"ct_session={signed_in.browser.cookies['__Host-ct_session']}"
    head = {"Host": "localhost", "Cookie": cookie, **(headers or {})}
    if head.get("Origin") == HOST:
        head["Origin"] = "http://localhost"
    peer = Peer(signed_in.world.app, "/v1/monitor/stream", headers=head)
    peer.say()
    return peer
