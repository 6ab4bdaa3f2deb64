"""The clients: `AsyncClient` for programs with an event loop, `Client` for all others. They offer the same."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Generic

from codetether_adapters.client.agents import Agents
from codetether_adapters.client.approvals import Approvals
from codetether_adapters.client.audit import Audit
from codetether_adapters.client.backups import Backups
from codetether_adapters.client.codebases import Codebases
from codetether_adapters.client.credentials import Tokens
from codetether_adapters.client.encryption import Encryption
from codetether_adapters.client.identity import Accounts, Identity
from codetether_adapters.client.messages import Messages
from codetether_adapters.client.operations import Async, M, Resource, Sync, operation, run_blocking
from codetether_adapters.client.patience import Patience
from codetether_adapters.client.requests import Request, an_object
from codetether_adapters.client.secrets import Secrets
from codetether_adapters.client.server import find_server
from codetether_adapters.client.sessions import Sessions
from codetether_adapters.client.tasks import Tasks
from codetether_adapters.client.tool_servers import ToolServers
from codetether_adapters.client.transport import AsyncTransport, SyncTransport, Transport
from codetether_adapters.client.webhooks import Webhooks
from codetether_adapters.client.worker_protocol import WorkerProtocol
from codetether_adapters.client.workers import Workers

__all__ = ["AsyncClient", "Client"]


class _Resources(Resource[M], Generic[M]):
    """What both clients offer."""

    def __init__(self, transport: Transport) -> None:
        super().__init__(transport)
        self.tasks: Tasks[M] = Tasks(transport)
        self.codebases: Codebases[M] = Codebases(transport)
        self.sessions: Sessions[M] = Sessions(transport)
        self.approvals: Approvals[M] = Approvals(transport)
        self.agents: Agents[M] = Agents(transport)
        self.messages: Messages[M] = Messages(transport)
        self.workers: Workers[M] = Workers(transport)
        self.identity: Identity[M] = Identity(transport)
        self.accounts: Accounts[M] = Accounts(transport)
        self.tokens: Tokens[M] = Tokens(transport)
        self.audit: Audit[M] = Audit(transport)
        self.encryption: Encryption[M] = Encryption(transport)
        self.secrets: Secrets[M] = Secrets(transport)
        self.tool_servers: ToolServers[M] = ToolServers(transport)
        self.webhooks: Webhooks[M] = Webhooks(transport)
        self.backups: Backups[M] = Backups(transport)
        self.worker: WorkerProtocol[M] = WorkerProtocol(transport)

    @property
    def address(self) -> str:
        """The server's, without anything that is not to be shown."""
        return self._transport.server.shown

    @operation
    async def health(self) -> Mapping[str, Any]:
        """Whether the server lives and its parts answer."""
        return await self._send(Request(method="GET", path="/health", read=an_object))

    @operation
    async def version(self) -> Mapping[str, Any]:
        """Which server it is."""
        return await self._send(Request(method="GET", path="/version", read=an_object))


class AsyncClient(_Resources[Async]):
    """``async with AsyncClient() as client: await client.tasks.run("…")``.

    Without arguments the server and the token come from ``CODETETHER_SERVER`` and ``CODETETHER_TOKEN``.
    """

    def __init__(
        self,
        server: str | None = None,
        *,
        token: str | None = None,
        patience: Patience | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(AsyncTransport(find_server(server, token, tls=tls), patience or Patience()))

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Let go of the connections."""
        await self._transport.close()


class Client(_Resources[Sync]):
    """``with Client() as client: client.tasks.run("…")``.

    Without arguments the server and the token come from ``CODETETHER_SERVER`` and ``CODETETHER_TOKEN``.
    """

    def __init__(
        self,
        server: str | None = None,
        *,
        token: str | None = None,
        patience: Patience | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(SyncTransport(find_server(server, token, tls=tls), patience or Patience()))

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connections."""
        run_blocking(self._transport.close())
