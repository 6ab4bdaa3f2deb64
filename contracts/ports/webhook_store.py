"""The contract of ``WebhookStore``, besides that of the records which webhooks are: how they are found."""

from __future__ import annotations

import asyncio
import unittest
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from attrs import evolve

from codetether_core.events import Cursor
from codetether_core.ids import CodebaseId, TaskId, TenantId, WebhookId
from codetether_core.ports import Backend
from codetether_core.webhooks import (
    Webhook,
    WebhookState,
    begin,
    delivered,
    failed,
    finish,
    give_up,
    revive,
    webhook_id,
)
from contracts.ports.harness import OpenBackend, examples
from contracts.ports.samples import CODEBASE, MICROSECOND, NOW, OTHER_TENANT, SECOND, TENANT

__all__ = ["new_webhook", "webhook_store_contract"]

_TASK: Final = TaskId("tsk")
TTL: Final = 60 * SECOND
_PLACE: Final = Cursor("epoch", 2**200)


def webhook_store_contract(open_backend: OpenBackend) -> type[unittest.TestCase]:
    """Examples."""
    return examples("WebhookStoreContract", open_backend, _EXAMPLES)


def new_webhook(
    id: str = "",
    tenant: TenantId = TENANT,
    *,
    name: str = "é",
    codebase: CodebaseId = CODEBASE,
    task: TaskId = _TASK,
    due: datetime | None = NOW,
    **more: Any,
) -> Webhook:
    """One that nobody has begun with; its id is the one that belongs to it, unless it has another."""
    return Webhook(
        id=WebhookId(id) if id else webhook_id(tenant, codebase, task, name),
        tenant=tenant,
        codebase=codebase,
        task=task,
        name=name,
        owner="ann",
        dialect="1.0",
        sealed="ct1.key-000001.AAAA",
        base_url="https://here.example",
        created_at=NOW,
        updated_at=NOW + MICROSECOND,
        due=due,
        **more,
    )


async def a_whole_life_is_kept(backend: Backend) -> None:
    """Every version comes back equal, and is due when it says so."""
    store, now = backend.webhooks, NOW
    old = new_webhook()
    await store.add(old)
    life: list[Callable[[Webhook], Webhook]] = [
        lambda webhook: begin(webhook, now, TTL),
        lambda webhook: delivered(webhook, _PLACE, 7, "working", now, TTL),
        lambda webhook: failed(webhook, "status 500", 0.25, now),
        lambda webhook: begin(webhook, now + 60 * SECOND, TTL),
        lambda webhook: give_up(webhook, "status 410", now),
        lambda webhook: revive(webhook, now),
        lambda webhook: begin(webhook, now, TTL),
        lambda webhook: finish(webhook, _PLACE, 8, "completed", now),
    ]
    for verb in life:
        new = verb(old)
        await store.replace(old, new)
        assert await store.get(TENANT, new.id) == new
        assert [*await store.of_task(TENANT, CODEBASE, _TASK)] == [new]
        assert await store.next_due() == new.due
        assert [*await store.dead(TENANT, 5)] == ([new] if new.state is WebhookState.DEAD else [])
        old = new


async def those_of_a_task_are_found(backend: Backend) -> None:
    """In order of id, and nobody else's."""
    store = backend.webhooks
    mine = [new_webhook(name=name) for name in ("a", "b", "c", "c d")]
    for webhook in (
        *mine,
        new_webhook(task=TaskId("tsk2")),
        new_webhook(codebase=CodebaseId("cb2")),
        new_webhook(tenant=OTHER_TENANT),
    ):
        await store.add(webhook)
    found = await store.of_task(TENANT, CODEBASE, _TASK)
    assert [*found] == sorted(mine, key=lambda webhook: webhook.id)
    assert not await store.of_task(TENANT, CODEBASE, TaskId("none"))
    await store.remove(found[0])
    assert [*await store.of_task(TENANT, CODEBASE, _TASK)] == [*found[1:]]


async def what_is_due_is_found_for_all_tenants(backend: Backend) -> None:
    """The longest due first, from its very moment on, in as many codebases as there are."""
    store = backend.webhooks
    assert await store.next_due() is None and not await store.due(NOW, 10)
    moments = [NOW + MICROSECOND, NOW - SECOND, NOW, NOW - 2 * SECOND, None]
    webhooks = [
        new_webhook(tenant=(TENANT, OTHER_TENANT)[at % 2], codebase=CodebaseId(f"cb{at}"), due=moment)
        for at, moment in enumerate(moments)
    ]
    await asyncio.gather(*map(store.add, webhooks))
    assert [*await store.due(NOW, 10)] == [webhooks[3], webhooks[1], webhooks[2]]
    assert [*await store.due(NOW, 2)] == [webhooks[3], webhooks[1]]
    assert [*await store.due(NOW - MICROSECOND, 10)] == [webhooks[3], webhooks[1]]
    assert await store.next_due() == NOW - 2 * SECOND
    await store.remove(webhooks[3])
    assert await store.next_due() == NOW - SECOND


async def those_given_up_come_in_pages(backend: Backend) -> None:
    """Of one tenant, in order of id, over all codebases."""
    store = backend.webhooks
    dead = [give_up(begin(new_webhook(codebase=CodebaseId(f"cb{at}")), NOW, TTL), "status 410", NOW) for at in range(5)]
    others = [new_webhook(codebase=CodebaseId(f"other{at}")) for at in range(5)]
    for webhook in (*dead, *others, evolve(dead[0], tenant=OTHER_TENANT)):
        await store.add(webhook)
    wanted = sorted(dead, key=lambda webhook: webhook.id)
    first = await store.dead(TENANT, 2)
    assert [*first] == wanted[:2]
    assert [*await store.dead(TENANT, 10, after=first[-1].id)] == wanted[2:]
    assert not await store.dead(TENANT, 10, after=wanted[-1].id)


_EXAMPLES: Final = (
    a_whole_life_is_kept,
    those_of_a_task_are_found,
    what_is_due_is_found_for_all_tenants,
    those_given_up_come_in_pages,
)
