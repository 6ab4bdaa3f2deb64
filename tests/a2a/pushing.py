"""The binding with webhooks, in this process: receivers of the tests' own may be asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
from attrs import define

from codetether_adapters.a2a.agent import Agent
from codetether_adapters.a2a.webhooks import Webhooks
from codetether_adapters.ciphers import Aes
from codetether_adapters.http import create_app
from codetether_adapters.http.resources import all_routes
from codetether_adapters.memory import MemoryBlobs
from codetether_adapters.outgoing.allowing import allowed
from codetether_adapters.outgoing.courier import open_courier
from codetether_adapters.signing import Ed25519
from codetether_adapters.tokens import StaticToken, StaticTokens
from codetether_apps.settings import Settings
from codetether_apps.wiring.a2a import a2a_routes, card_routes, open_cards
from codetether_apps.wiring.pushing import delivering
from codetether_core.ports import Backend
from codetether_core.services import RolePolicy, assemble
from tests.a2a.hub import Hub
from tests.http.conformance import checked
from tests.http.resources.harness import TOKENS, Api, Dice, FakeClock

__all__ = ["PUBLIC_KEY", "PushHub", "open_push_hub"]

KEY = b"k" * 32
SIGNER = Ed25519(KEY, b"webhooks")
PUBLIC_KEY = bytes.fromhex(SIGNER.key)


@define(eq=False)
class PushHub(Hub):
    """A hub whose time is the test's."""

    def later(self, duration: timedelta) -> None:
        """Let so much time pass, and have what is due by then taken."""
        self.api.clock.advance(duration)
        for observer in self.api.services.webhook_keeping.observers:
            observer()

    async def until_done(self) -> None:
        """Return once it is noted of all webhooks that they were told all."""
        async with asyncio.timeout(30):
            while True:
                if await self.api.services.backend.webhooks.next_due() is None:
                    return
                await asyncio.sleep(0.001)

    async def keep(self, task: str, who: str = "alice", **config: Any) -> Any:
        """A webhook of a task, as it is answered."""
        return await self.result("CreateTaskPushNotificationConfig", {"taskId": task, **config}, who)


@asynccontextmanager
async def open_push_hub(backend: Backend) -> AsyncIterator[PushHub]:
    """Over a backend; requests may go to this machine."""
    clock = FakeClock()
    services = assemble(backend, clock, Dice(), blobs=MemoryBlobs(), cipher=Aes([("k1", KEY)]), webhook_signer=SIGNER)
    tokens = StaticTokens(StaticToken.of(name, token, roles) for name, (token, roles) in TOKENS.items())
    policy = RolePolicy()
    async with open_courier(allowed(["127.0.0.1"])) as courier:
        cards, webhooks = open_cards(Settings(), services, policy), Webhooks(services.webhook_keeping, courier)
        agent = Agent(services=services, authorizer=policy, cards=cards, push=webhooks)
        routes = (*all_routes(), *a2a_routes(agent), *card_routes(cards))
        app = create_app(services, authenticator=tokens, authorizer=policy, routes=routes)
        transport, hooks = httpx.ASGITransport(app), checked(app)
        async with (
            delivering(agent, courier),
            httpx.AsyncClient(transport=transport, base_url="http://server", event_hooks=hooks) as client,
        ):
            yield PushHub(Api(app, services, clock, client))
