"""Streams of what changes (``subscriptions/listen``): each follows the log by itself, and replicas share nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing, suppress
from typing import Any, Final

from attrs import define, field
from mcp import types
from mcp.server.subscriptions import ListenHandler
from mcp.shared.exceptions import MCPError
from mcp.shared.subscriptions import (
    PromptsListChanged,
    ResourcesListChanged,
    ResourceUpdated,
    ServerEvent,
    ToolsListChanged,
)

from codetether_adapters.mcp.caller import Exchange
from codetether_adapters.mcp.served import ListChange, Served, Update
from codetether_core.errors import CodeTetherError

__all__ = ["listening"]

_INTERNAL: Final = -32603
_LISTS: Final[Mapping[ListChange, ServerEvent]] = {
    ListChange.TOOLS: ToolsListChanged(),
    ListChange.PROMPTS: PromptsListChanged(),
    ListChange.RESOURCES: ResourcesListChanged(),
}


@define(eq=False)
class _Bus:
    """The library's seam, for one stream."""

    _listener: Callable[[ServerEvent], None] | None = field(default=None, init=False)

    async def publish(self, event: ServerEvent) -> None:
        """Nobody else publishes here."""
        self.tell(event)

    def tell(self, event: ServerEvent) -> None:
        """Let the stream's client know."""
        if self._listener is not None:
            self._listener(event)

    def subscribe(self, listener: Callable[[ServerEvent], None]) -> Callable[[], None]:
        """Tell this one from now on."""
        self._listener = listener

        def forget() -> None:
            self._listener = None

        return forget


def listening(served: Served, exchange_of: Callable[[Any, Any], Exchange]) -> Any:
    """The library's handler; it ends a stream properly when we leave or what the caller showed counts no longer."""

    async def listen(context: Any, params: types.SubscriptionsListenRequestParams) -> types.SubscriptionsListenResult:
        exchange, asked = exchange_of(context, params), params.notifications
        uris = await served.watchable(exchange, asked.resource_subscriptions or [])
        lists = [change for change in ListChange if asked.model_dump(by_alias=True).get(change.value)]
        narrowed = asked.model_copy(update={"resource_subscriptions": [*uris]})
        bus = _Bus()
        handler, begun = ListenHandler(bus), asyncio.Event()

        def ended(feeding: asyncio.Task[None]) -> None:
            begun.set()
            handler.close()

        feeding = asyncio.create_task(_feed(bus, served.updates(exchange, frozenset(uris), lists), begun))
        feeding.add_done_callback(ended)
        try:
            await begun.wait()
            if feeding.done():
                raise MCPError(_INTERNAL, "Nothing can be followed now; listen again")
            with exchange.caller.standing(handler.close):
                result = await handler(context, params.model_copy(update={"notifications": narrowed}))
        finally:
            feeding.cancel()
            await asyncio.wait({feeding})
        return result

    return listen


async def _feed(bus: _Bus, updates: AsyncGenerator[Update | None, None], begun: asyncio.Event) -> None:
    """Tell what changes until it cannot be told any more: the client listens again then."""
    with suppress(CodeTetherError):
        async with aclosing(updates) as source:
            async for update in source:
                begun.set()
                if update is not None:
                    bus.tell(ResourceUpdated(update) if isinstance(update, str) else _LISTS[update])
