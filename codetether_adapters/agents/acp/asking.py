"""What an agent requests of us while it works: leave to use its tools."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import anyio

from codetether_adapters.agents.acp.patience import Patience
from codetether_adapters.agents.acp.permissions import CANCELLED, inquiry_of, outcome_of
from codetether_adapters.agents.acp.shapes import object_in, text_in
from codetether_adapters.agents.acp.tool_calls import ToolCalls
from codetether_core.errors import DeniedByPolicy
from codetether_core.ports import Ask

__all__ = ["Permissions"]


class Permissions:
    """One run's: each is asked by itself, and all that are open are answered ``cancelled`` by ``cancel``."""

    def __init__(self, ask: Ask, tools: ToolCalls, patience: Patience) -> None:
        self._ask = ask
        self._tools = tools
        self._patience = patience
        self._open: set[anyio.CancelScope] = set()
        self._cancelled = False

    async def answer(self, method: str, params: object) -> Mapping[str, Any] | None:
        """The answer to a request; ``None`` for any but that for a permission. What ``ask`` raises if not a denial."""
        if method != "session/request_permission":
            return None
        known = self._tools.known(text_in(object_in(params).get("toolCall"), "toolCallId"))
        inquiry = inquiry_of(params, known)
        if inquiry is None or self._cancelled:
            return CANCELLED
        with anyio.CancelScope() as scope, self._patience.excused():
            self._open.add(scope)
            try:
                return outcome_of(await self._ask(inquiry))
            except DeniedByPolicy:
                return CANCELLED
            finally:
                self._open.discard(scope)
        return CANCELLED

    def cancel(self) -> None:
        """Nobody is asked any more."""
        self._cancelled = True
        for scope in tuple(self._open):
            scope.cancel()
