"""Agents: names that can be discovered and written to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from codetether_adapters.client.operations import M, Resource, operation
from codetether_adapters.client.requests import AGENT, Request, many, nothing, one, path
from codetether_adapters.client.views import AgentView

__all__ = ["Agents"]


class Agents(Resource[M]):
    """``client.agents``."""

    @operation
    async def register(
        self,
        name: str,
        *,
        url: str = "",
        description: str = "",
        capabilities: Mapping[str, Any] | None = None,
        models: Sequence[str] = (),
    ) -> AgentView:
        """Make an agent known; it is forgotten two minutes after its last heartbeat."""
        body = {
            "name": name,
            "url": url,
            "description": description,
            "capabilities": capabilities,
            "models_supported": models or None,
        }
        return await self._send(Request(method="POST", path=f"{AGENT}/agents", body=body, read=one(AgentView, "agent")))

    @operation
    async def enlist(
        self, name: str, card_url: str, *, secret: str | None = None, card_keys: Mapping[str, Any] | None = None
    ) -> AgentView:
        """Make an agent elsewhere known by its A2A card: tasks that name it are given to it from now on.

        ``secret`` names the secret by which it knows us, ``card_keys`` are the keys by one of which its card is signed.
        """
        body = {"name": name, "card_url": card_url, "secret": secret, "card_keys": card_keys}
        return await self._send(Request(method="POST", path=f"{AGENT}/agents", body=body, read=one(AgentView, "agent")))

    @operation
    async def remove(self, name: str) -> None:
        """Forget an agent."""
        await self._send(Request(method="DELETE", path=path(f"{AGENT}/agents", name), read=nothing))

    @operation
    async def heartbeat(self, name: str) -> None:
        """It is still there."""
        where = path(f"{AGENT}/agents", name, "heartbeat")
        await self._send(Request(method="POST", path=where, read=nothing))

    @operation
    async def list(self) -> Sequence[AgentView]:
        """The agents that are there."""
        return await self._send(Request(method="GET", path=f"{AGENT}/agents", read=many(AgentView, "agents")))
