"""What those whom we know are told of us."""

from __future__ import annotations

from typing import Any

from codetether_adapters.a2a.agent import Agent
from codetether_adapters.a2a.request import Request
from codetether_adapters.a2a_wire.dialect import Dialect

__all__ = ["extended"]


async def extended(agent: Agent, request: Request, dialect: Dialect, params: Any) -> Any:
    """The extended card."""
    return await agent.cards.extended(request.principal, request.base_url, dialect.name)
