"""The protocol's operations: parameters in a release's words in, its result in the same words out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeAlias

from codetether_adapters.a2a.agent import Agent
from codetether_adapters.a2a.following import Frames
from codetether_adapters.a2a.methods import Operation
from codetether_adapters.a2a.operations import cancel, card, get, listing, push, send, subscribe
from codetether_adapters.a2a.request import Request
from codetether_adapters.a2a_wire.dialect import Dialect

__all__ = ["ANSWERED", "STREAMED", "Answering", "Streaming"]

Answering: TypeAlias = Callable[[Agent, Request, Dialect, Any], Awaitable[Any]]
Streaming: TypeAlias = Callable[[Agent, Request, Dialect, Any], Awaitable[Frames]]

ANSWERED: Final[Mapping[Operation, Answering]] = {
    Operation.SEND: send.send,
    Operation.GET: get.get,
    Operation.LIST: listing.find,
    Operation.CANCEL: cancel.cancel,
    Operation.PUSH_CREATE: push.create,
    Operation.PUSH_GET: push.get,
    Operation.PUSH_LIST: push.find,
    Operation.PUSH_DELETE: push.delete,
    Operation.CARD: card.extended,
}
"""Those with one answer."""

STREAMED: Final[Mapping[Operation, Streaming]] = {
    Operation.STREAM: send.stream,
    Operation.SUBSCRIBE: subscribe.subscribe,
}
"""Those that are answered by a stream; what is refused is refused before it begins."""
