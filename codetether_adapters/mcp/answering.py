"""What answers the endpoint, as the rest of the program knows it: without the protocol's library."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol, TypeAlias

from codetether_adapters.mcp.caller import Caller

__all__ = ["Answering", "Receive", "Scope", "Send"]

Message: TypeAlias = MutableMapping[str, Any]
Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]


class Answering(Protocol):
    """An ASGI application that is told who calls."""

    async def answer(self, caller: Caller, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request of somebody who may make it: Origin, Host and permission were looked at."""
        ...
