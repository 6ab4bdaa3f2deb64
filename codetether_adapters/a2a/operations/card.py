"""What those whom we know are told of us."""

from __future__ import annotations

from typing import Any

from codetether_adapters.a2a.agent import Agent
from codetether_adapters.a2a.dialect import Dialect
from codetether_adapters.a2a.errors import UNSUPPORTED_OPERATION, Refused
from codetether_adapters.a2a.request import Request

__all__ = ["extended"]


async def extended(agent: Agent, request: Request, dialect: Dialect, params: Any) -> Any:
    """The extended card."""
    if agent.cards is None:
        raise Refused(UNSUPPORTED_OPERATION, "There is no extended agent card")
    return await agent.cards.card(request.principal, request.base_url)
