"""What an agent requests of us while it works: leave to use its tools, and what only people know."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any, TypeAlias

import anyio

from codetether_adapters.agents.acp.elicitations import CANCEL, DECLINE, accepted, blanks_of
from codetether_adapters.agents.acp.patience import Patience
from codetether_adapters.agents.acp.permissions import CANCELLED, inquiry_of, outcome_of
from codetether_adapters.agents.acp.shapes import object_in, text_in
from codetether_adapters.agents.acp.tool_calls import ToolCalls
from codetether_core.errors import DeniedByPolicy
from codetether_core.ports import Ask

__all__ = ["Requests"]

_Said: TypeAlias = Mapping[str, Any]


class Requests:
    """One run's: each is asked by itself, and all that are open are answered by nobody after ``cancel``."""

    def __init__(self, ask: Ask, tools: ToolCalls, patience: Patience) -> None:
        self._ask = ask
        self._tools = tools
        self._patience = patience
        self._open: set[anyio.CancelScope] = set()
        self._cancelled = False

    async def answer(self, method: str, params: object) -> Mapping[str, Any] | None:
        """The answer to a request; ``None`` for one that is not known. What ``ask`` raises if that is not a denial."""
        match method:
            case "session/request_permission":
                return await self._until_cancelled(self._permission(params), CANCELLED)
            case "elicitation/create":
                return await self._until_cancelled(self._elicitation(params), CANCEL)
            case _:
                return None

    def cancel(self) -> None:
        """Nobody is asked any more."""
        self._cancelled = True
        for scope in tuple(self._open):
            scope.cancel()

    async def _permission(self, params: object) -> Mapping[str, Any]:
        known = self._tools.known(text_in(object_in(params).get("toolCall"), "toolCallId"))
        inquiry = inquiry_of(params, known)
        if inquiry is None:
            return CANCELLED
        try:
            return outcome_of(await self._ask(inquiry))
        except DeniedByPolicy:
            return CANCELLED

    async def _elicitation(self, params: object) -> Mapping[str, Any]:
        values = {}
        for blank in blanks_of(params):
            value = blank.value(await self._ask(blank.inquiry))
            if value is None:
                return DECLINE
            values[blank.name] = value
        return accepted(values) if values else DECLINE

    async def _until_cancelled(self, answer: Awaitable[_Said], nobody: _Said) -> _Said:
        with anyio.CancelScope() as scope, self._patience.excused():
            self._open.add(scope)
            try:
                if self._cancelled:
                    scope.cancel()
                return await answer
            finally:
                self._open.discard(scope)
        return nobody
