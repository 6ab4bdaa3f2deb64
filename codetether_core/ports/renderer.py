"""Whoever puts what happened to a task into a receiver's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from attrs import Factory, field, frozen

from codetether_core.events import Record
from codetether_core.tasks import Task
from codetether_core.webhooks import Webhook

__all__ = ["Payload", "Renderer"]


@frozen(kw_only=True)
class Payload:
    """What is posted. ``token_header`` is where the receiver looks for its token, ``told`` what the renderer wants to
    know next time; ``last``: the receiver needs nothing more.
    """

    body: bytes = field(repr=False)
    headers: Mapping[str, str] = Factory(dict[str, str])
    token_header: str
    told: str = ""
    last: bool = False


class Renderer(Protocol):
    """Knows the webhooks' dialects."""

    async def snapshot(self, webhook: Webhook, task: Task, number: int) -> Payload:
        """The task as it stands, with its events up to that number."""
        ...

    async def update(self, webhook: Webhook, record: Record) -> Payload | None:
        """What a record of the task comes to; ``None`` if that is nothing that a receiver is told."""
        ...
