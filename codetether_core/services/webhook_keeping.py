"""Keeping webhooks, and looking after those that nobody answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final

from attrs import field, frozen

from codetether_core import codec
from codetether_core.access import Principal
from codetether_core.errors import AlreadyExists, Conflict, Invalid, NotFound, VersionConflict
from codetether_core.events import Event
from codetether_core.ids import WebhookId
from codetether_core.ports import Clock, Signer, WebhookStore
from codetether_core.services.encryption import Encryption
from codetether_core.services.ownership import OTHERS, Ownership
from codetether_core.services.swapping import until_swapped
from codetether_core.services.webhook_headers import public_key
from codetether_core.tasks import Task
from codetether_core.webhooks import Target, Webhook, WebhookState, configured, revive, webhook_id

__all__ = ["WebhookKeeping", "webhook_event"]

_MOST: Final = 20
_LONGEST_NAME: Final = 255
_PAGE: Final = 200


@frozen
class WebhookKeeping:
    """Where receivers are, and how to sign in there, is encrypted, whether or not anything else is.

    ``observers`` are told, in this process only, that something may be to be delivered.
    """

    webhooks: WebhookStore
    encryption: Encryption
    ownership: Ownership
    signer: Signer
    clock: Clock
    observers: list[Callable[[], None]] = field(factory=list)

    @property
    def possible(self) -> bool:
        """Whether there is a key to encrypt under."""
        return bool(self.encryption.cipher.key_id)

    @property
    def signing_key(self) -> str:
        """What receivers verify our signatures with; empty if there are none."""
        return public_key(self.signer)

    async def check(self, name: str, task: Task | None = None) -> None:
        """``Invalid`` or ``Conflict`` if ``put`` would not take one of that name, of this task or else of a new one."""
        _check_name(name)
        if task is not None:
            await self._replaced(task, webhook_id(task.tenant, task.spec.codebase, task.id, name))

    async def put(
        self, principal: Principal, task: Task, name: str, target: Target, *, dialect: str, base_url: str = ""
    ) -> Webhook:
        """Keep it, in place of the task's one of that name. The ``target`` is one that was checked.

        ``Invalid`` for a name that could not be, ``Conflict`` if there are too many, ``NotConfigured`` without a key.
        """
        _check_name(name)
        tenant, codebase = task.tenant, task.spec.codebase
        id = webhook_id(tenant, codebase, task.id, name)
        sealed = await self.encryption.encrypt(tenant, json.dumps(codec.dump(target)).encode(), _context(id))

        async def attempt() -> Webhook:
            now = self.clock.now()
            old = await self._replaced(task, id)
            new = Webhook(
                id=id,
                tenant=tenant,
                codebase=codebase,
                task=task.id,
                name=name,
                owner=principal.name,
                dialect=dialect,
                sealed=sealed,
                base_url=base_url,
                created_at=now,
                updated_at=now,
                due=now,
            )
            new = configured(old, new)
            events = [webhook_event("push.configured", new, now, principal.name)]
            try:
                await (self.webhooks.add(new, events) if old is None else self.webhooks.replace(old, new, events))
            except AlreadyExists as error:  # somebody else was faster: it is to be replaced now
                raise VersionConflict(error.message, id=id) from None
            return new

        kept = await until_swapped(attempt, "webhook", id)
        self._tell()
        return kept

    async def get(self, task: Task, name: str) -> Webhook:
        """The task's one of that name; ``NotFound``."""
        return await self.webhooks.get(task.tenant, webhook_id(task.tenant, task.spec.codebase, task.id, name))

    async def of_task(self, task: Task) -> Sequence[Webhook]:
        """All of a task's, in order of id."""
        return await self.webhooks.of_task(task.tenant, task.spec.codebase, task.id)

    async def remove(self, principal: Principal, task: Task, name: str) -> None:
        """Forget it; one that is not there is forgotten already. What is being delivered just now may yet arrive."""

        async def attempt() -> None:
            old = await self.get(task, name)
            event = webhook_event("push.removed", old, self.clock.now(), principal.name)
            await self.webhooks.remove(old, [event])

        try:
            await until_swapped(attempt, "webhook", name)
        except NotFound:
            return

    async def dead(self, principal: Principal, limit: int, after: str = "") -> Sequence[Webhook]:
        """Those that were given up, in order of id; the principal's own, unless it may act for others."""
        reach, found = await self.ownership.reach(principal, OTHERS), list[Webhook]()
        while len(found) < limit and (page := await self.webhooks.dead(principal.tenant, _PAGE, after)):
            found += [webhook for webhook in page if reach.covers(webhook.owner)]
            after = page[-1].id
        return found[:limit]

    async def revive(self, principal: Principal, id: str) -> Webhook:
        """Deliver what is left to one that was given up; ``NotFound``, ``IllegalTransition`` for any other."""
        reach = await self.ownership.reach(principal, OTHERS)

        async def attempt() -> Webhook:
            old = await self.webhooks.get(principal.tenant, WebhookId(id))
            if not reach.covers(old.owner):
                raise NotFound("webhook", id)
            now = self.clock.now()
            new = revive(old, now)
            await self.webhooks.replace(old, new, [webhook_event("push.revived", new, now, principal.name)])
            return new

        revived = await until_swapped(attempt, "webhook", id)
        self._tell()
        return revived

    async def target(self, webhook: Webhook) -> Target:
        """Where it is, and how to sign in there; ``NotConfigured`` or ``Undecipherable`` without the key."""
        clear = await self.encryption.decrypt(webhook.tenant, webhook.sealed, _context(webhook.id))
        return codec.load(Target, json.loads(clear))

    async def _replaced(self, task: Task, id: WebhookId) -> Webhook | None:
        """The one whose place a webhook of that id takes; ``Conflict`` if there is no room for another."""
        others = await self.webhooks.of_task(task.tenant, task.spec.codebase, task.id)
        old = next((each for each in others if each.id == id), None)
        if old is None and len(others) >= _MOST:
            raise Conflict(f"The task has {_MOST} webhooks", hint="delete one of them", id=task.id)
        return old

    def _tell(self) -> None:
        for observer in self.observers:
            observer()


def webhook_event(kind: str, webhook: Webhook, now: datetime, by: str = "") -> Event:
    """What the log says of one: never where it is."""
    data: dict[str, Any] = {
        "push_id": webhook.id,
        "name": webhook.name,
        "owner": webhook.owner,
        "task_id": webhook.task,
        "codebase_id": webhook.codebase,
    }
    if by:
        data["by"] = by
    if webhook.state is WebhookState.DEAD:
        data |= {"error": webhook.error or "", "attempts": webhook.attempts}
    return Event(webhook.topic, kind, now, data)


def _check_name(name: str) -> None:
    if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable():
        raise Invalid("id", f"must have 1 to {_LONGEST_NAME} printable characters")


def _context(id: str) -> str:
    """What a target is encrypted as."""
    return f"webhook {id}"
