"""The whole API over the memory stores, with a clock and dice that tests hold in their hands."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import httpx
from attrs import define, field

from codetether_adapters.audited import Acting, AuditedBackend
from codetether_adapters.ciphers import Aes
from codetether_adapters.http import Application, create_app
from codetether_adapters.memory import MemoryBlobs, open_backend
from codetether_adapters.opa import OpaServer, RegoPolicy, shipped_policy
from codetether_adapters.protected import ProtectedBackend, Redacting
from codetether_adapters.signing import Ed25519
from codetether_adapters.tokens import Chain, open_kept_tokens
from codetether_apps.wiring.mcp import RUNS
from codetether_core.audit import Actor
from codetether_core.events import Event
from codetether_core.ports import AgentCards, ToolCaller
from codetether_core.services import DataKeys, Encryption, Notes, Redaction, Services, assemble
from tests.http.conformance import checked, every_route
from tests.http.harness import NOW, TOKENS, client_of

__all__ = ["KEY", "Quick", "World", "open_world"]


KEY = b"k" * 32
POLICY = RegoPolicy(shipped_policy())


@define(eq=False)
class FakeClock:
    """Stands still until it is moved."""

    at: datetime = NOW

    def now(self) -> datetime:
        return self.at

    async def sleep(self, duration: timedelta) -> None:
        self.at += duration

    def advance(self, **duration: float) -> None:
        self.at += timedelta(**duration)


@define(eq=False)
class CountingDice:
    """Never the same twice, always the same again."""

    _numbers: Any = field(factory=count)

    def bytes(self, count: int) -> bytes:
        return int(next(self._numbers)).to_bytes(count)

    def fraction(self) -> float:
        return 0.5


class Quick:
    """Passwords that are kept as they are, with something before them (port ``Passwords``)."""

    async def hashed(self, password: str) -> str:
        return f"quick:{password}"

    async def matches(self, password: str, kept: str | None) -> bool:
        return kept == f"quick:{password}"


@define(eq=False)
class World:
    """One server, and a client for each role; ``client`` is an administrator's."""

    app: Application
    services: Services
    clock: FakeClock
    client: httpx.AsyncClient
    editor: httpx.AsyncClient
    viewer: httpx.AsyncClient
    worker: httpx.AsyncClient

    async def get(self, path: str, **query: Any) -> Any:
        """What a route that has to answer 200 says."""
        return ok(await self.client.get(path, params=query))

    async def post(self, path: str, /, **body: Any) -> Any:
        """What a route that has to answer 200 says to a body."""
        return ok(await self.client.post(path, json=body))

    async def codebase(self, name: str = "demo", path: str = "/srv/demo", **body: Any) -> str:
        """The id of a codebase, registered."""
        id: str = (await self.post("/v1/agent/codebases", name=name, path=path, **body))["codebase"]["id"]
        return id

    async def register(self, id: str = "wrk-1", name: str = "one", **body: Any) -> Any:
        """A worker, registered."""
        return (await self.post("/v1/agent/workers/register", worker_id=id, name=name, **body))["worker"]


def ok(response: httpx.Response) -> Any:
    assert response.status_code == 200, response.text
    return response.json()


@asynccontextmanager
async def open_world(
    policy: RegoPolicy | OpaServer = POLICY,
    cards: AgentCards | None = None,
    caller: ToolCaller | None = None,
    clock: FakeClock | None = None,
) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        clock, dice, acting = clock or FakeClock(), CountingDice(), Acting()
        store = await stack.enter_async_context(open_backend())
        notes = Notes(clock, CountingDice())
        noted = AuditedBackend.over(store, notes.of, acting)
        keys = DataKeys(noted.data_keys, Aes([("k1", KEY)]), clock, dice)
        redaction = Redaction(noted.secrets, Encryption(keys, keys.cipher, dice), clock)

        def note(events: Sequence[Event], actor: Actor) -> Sequence[Event]:
            return [*map(redaction.cleaned, notes.of(events, actor))]

        services = assemble(
            ProtectedBackend.over(AuditedBackend.over(store, note, acting), [Redacting(redaction)]),
            clock,
            dice,
            blobs=MemoryBlobs(),
            key=KEY,
            passwords=Quick(),
            signer=Ed25519(KEY, b"test"),
            redaction=redaction,
            authorizer=policy,
            agent_policy=policy,
            agent_cards=cards,
            tool_caller=caller,
        )
        kept = await stack.enter_async_context(open_kept_tokens(services.issuing, services.watching, clock))
        routes = every_route(services, policy)
        app = create_app(
            services,
            authenticator=Chain((TOKENS, kept)),
            authorizer=policy,
            routes=routes,
            acts=acting,
            tools_at=RUNS if caller else None,
        )
        clients = {
            role: await stack.enter_async_context(
                client_of(app, headers={"Authorization": f"Bearer {role}-token"}, event_hooks=checked(app)),
            )
            for role in ("admin", "editor", "viewer", "worker")
        }
        yield World(app, services, clock, clients.pop("admin"), **clients)
