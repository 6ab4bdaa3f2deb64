"""Servers in this process whose people sign in at a real provider, with a browser that reaches both."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from attrs import define, field

from codetether_adapters.http import Application, IdentityProvider, create_app
from codetether_adapters.http.resources import all_routes
from codetether_adapters.memory import open_backend
from codetether_adapters.oidc import ClaimMapping, Client, CodeSignIn, Seal, open_oidc_tokens
from codetether_adapters.system import SystemEntropy
from codetether_adapters.tokens import Chain, open_kept_tokens
from codetether_core.ports import Backend
from codetether_core.services import RolePolicy, Services, assemble
from tests.identity.browser import agree
from tests.servers.identity import IdentityProvider as Provider

__all__ = ["KEY", "PUBLIC", "Clock", "Hub", "open_hub"]

KEY = b"k" * 32
PUBLIC = "https://hub.test"
LOGIN, CALLBACK = "/v1/auth/oidc/login", "/v1/auth/oidc/callback"


@define(eq=False)
class Clock:
    """This machine's, moved."""

    moved: timedelta = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.moved

    async def sleep(self, duration: timedelta) -> None:
        self.moved += duration


@define(eq=False)
class Hub:
    """One server, and a browser that calls it by its public name."""

    app: Application
    services: Services
    clock: Clock
    browser: httpx.AsyncClient
    below: str = ""
    sign_in: CodeSignIn = field(kw_only=True)

    async def get(self, path: str, **options: Any) -> httpx.Response:
        """The answer to a request of a page of this server."""
        return await self.browser.get(f"{PUBLIC}{self.below}{path}", follow_redirects=False, **options)

    async def post(self, path: str, **options: Any) -> httpx.Response:
        """The answer to a request that changes something."""
        url = f"{PUBLIC}{self.below}{path}"
        headers = {"Sec-Fetch-Site": "same-origin", **options.pop("headers", {})}
        return await self.browser.post(url, headers=headers, follow_redirects=False, **options)

    async def begin(self, return_to: str = "/tasks?open=1") -> str:
        """The address at the provider to which a sign-in leads."""
        answer = await self.get(LOGIN, params={"return_to": return_to})
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"])

    async def signed_in(self, name: str = "ann.editor") -> httpx.Response:
        """The answer to the last step of a sign-in."""
        return await self.browser.get(await agree(self.browser, await self.begin(), name=name), follow_redirects=False)


@asynccontextmanager
async def open_hub(
    provider: Provider,
    *,
    backend: Backend | None = None,
    jar: httpx.Cookies | None = None,
    client: Client | None = None,
    below: str = "",
    mapping: ClaimMapping | None = None,
) -> AsyncIterator[Hub]:
    """A server; more over one ``backend`` are replicas, and browsers with one ``jar`` the same browser."""
    clock = Clock()
    if backend is None:
        async with (
            open_backend() as backend,
            open_hub(provider, backend=backend, jar=jar, client=client, below=below, mapping=mapping) as hub,
        ):
            yield hub
        return
    services = assemble(backend, clock, SystemEntropy(), key=KEY)
    async with (
        open_kept_tokens(services.issuing, services.watching, clock) as kept,
        open_oidc_tokens(provider.issuer, ["codetether"], clock, mapping) as tokens,
    ):
        sign_in = CodeSignIn(
            tokens=tokens,
            client=client or Client(id="hub", secret="hub-secret"),
            seal=Seal(KEY),
            entropy=SystemEntropy(),
        )
        app = create_app(
            services,
            authenticator=Chain((kept, tokens)),
            authorizer=RolePolicy(),
            routes=all_routes(),
            provider=IdentityProvider(issuer=provider.issuer, client_id="web", sign_in=sign_in),
            public_url=PUBLIC,
            base_path=below,
        )
        mounts = {PUBLIC: httpx.ASGITransport(app)}
        async with httpx.AsyncClient(mounts=mounts) as browser:
            if jar is not None:
                browser._cookies = jar
            yield Hub(app, services, clock, browser, below, sign_in=sign_in)
