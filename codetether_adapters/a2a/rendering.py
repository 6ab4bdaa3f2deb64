"""What webhooks are sent: release 1.0 has what a stream would, without output and files, release 0.3 the whole task.

First comes the task as it stands, then every change of how it stands, each with the numbers of the task's records that
it is for, so that what comes twice can be told. Whoever wants what the task made asks for it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final

from attrs import evolve, frozen

from codetether_adapters.a2a.agent import Agent
from codetether_adapters.a2a.records import Teller, sequence
from codetether_adapters.a2a.request import A2A_JSON, JSON, Request
from codetether_adapters.a2a.telling import context_of
from codetether_adapters.a2a.views import view
from codetether_adapters.a2a_wire.dialect import Dialect
from codetether_adapters.a2a_wire.encoding import encode
from codetether_adapters.a2a_wire.v03 import V03
from codetether_adapters.a2a_wire.v1 import V1
from codetether_adapters.a2a_wire.values import StatusUpdate, TaskState, Update
from codetether_adapters.a2a_wire.values import Task as Shown
from codetether_core.access import Principal
from codetether_core.events import Record
from codetether_core.ports import Payload
from codetether_core.tasks import Task
from codetether_core.webhooks import Webhook

__all__ = ["TOKEN_HEADER", "WebhookRenderer"]

TOKEN_HEADER: Final = "X-A2A-Notification-Token"  # noqa: S105 - the name of a header
_DIALECTS: Final[Mapping[str, Dialect]] = {V1.name: V1, V03.name: V03}
_INLINE: Final = 64 * 1024
"""Bytes of what a task made that are sent with it; what is beyond can be asked for."""


@frozen
class WebhookRenderer:
    """In both releases' words (a ``Renderer``)."""

    agent: Agent

    async def snapshot(self, webhook: Webhook, task: Task, number: int) -> Payload:
        """The task, with what it made if it has ended."""
        shown = await view(self.agent, _request(webhook), task, artifacts=task.ended, inline=_INLINE)
        first = 1 if webhook.after is None else webhook.number + 1
        told = evolve(shown, metadata=sequence(min(first, number), number))
        return _payload(webhook, told, shown.status.state, last=task.ended)

    async def update(self, webhook: Webhook, record: Record) -> Payload | None:
        """A change of how it stands, or a question."""
        task = await self.agent.services.backend.tasks.get(webhook.tenant, webhook.task)
        teller = Teller(task.id, context_of(task), state=TaskState(webhook.told) if webhook.told else None)
        teller.first = webhook.number + 1
        told = [each for each in teller.tell(record) if isinstance(each, StatusUpdate)]
        if not told:
            return None
        if webhook.dialect == V03.name:
            return await self.snapshot(webhook, task, record.number)
        return _payload(webhook, told[-1], told[-1].status.state, last=teller.ended)


def _payload(webhook: Webhook, happening: Shown | Update, state: TaskState, *, last: bool) -> Payload:
    media_type = JSON if webhook.dialect == V03.name else A2A_JSON
    body = encode(_DIALECTS[webhook.dialect].event(happening))
    return Payload(
        body=body, headers={"Content-Type": media_type}, token_header=TOKEN_HEADER, told=state.value, last=last
    )


def _request(webhook: Webhook) -> Request:
    """As if the owner had asked."""
    owner = Principal(name=webhook.owner, tenant=webhook.tenant)
    return Request(principal=owner, attended=_attended, note=lambda operation: None, base_url=webhook.base_url)


@asynccontextmanager
async def _attended(leave: Callable[[], None]) -> AsyncIterator[None]:
    yield
