"""A store as it keeps things, below what encrypts them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from attrs import frozen

from codetether_core.events import Event
from codetether_core.ports import Backend, BlobStore

__all__ = ["AsKept"]


async def _as_they_are(events: Sequence[Event]) -> Sequence[Event]:
    return events


@frozen
class AsKept:
    """What the store and its blobs have, as they have it; ``hide`` makes of events what the store would keep."""

    backend: Backend
    blobs: BlobStore
    hide: Callable[[Sequence[Event]], Awaitable[Sequence[Event]]] = _as_they_are
