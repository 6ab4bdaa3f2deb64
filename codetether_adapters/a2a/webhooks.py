"""The protocol's push configurations, kept as webhooks."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from codetether_adapters.a2a.request import Request
from codetether_adapters.a2a_wire.values import Authentication, PushConfig
from codetether_core.access import Principal
from codetether_core.errors import Invalid
from codetether_core.ports import Courier
from codetether_core.services import WebhookKeeping
from codetether_core.tasks import Task
from codetether_core.webhooks import Target, Webhook, checked_target

__all__ = ["Webhooks"]


@frozen
class Webhooks:
    """Those of all tasks (``PushConfigs``). Tokens and credentials are told to nobody but the receiver."""

    keeping: WebhookKeeping
    courier: Courier

    async def check(self, config: PushConfig, field: str, task: Task | None = None) -> None:
        """What the text says, where its host is just now, and whether there is room for it."""
        try:
            if config.id or task is not None:
                await self.keeping.check(_name(config, task), task)
            await self.courier.check("url", checked_target(_target(config)).url)
        except Invalid as error:
            where = f"{field}.{error.field}" if field else error.field
            raise Invalid(where, error.problem, hint=error.hint, code=error.code) from None

    async def create(self, request: Request, task: Task, config: PushConfig, release: str) -> PushConfig:
        """Keep it; as it was given, with its id."""
        kept = await self.keeping.put(
            request.principal,
            task,
            _name(config, task),
            checked_target(_target(config)),
            dialect=release,
            base_url=request.base_url,
        )
        return PushConfig(
            url=config.url, id=kept.name, task_id=task.id, token=config.token, authentication=config.authentication
        )

    async def get(self, principal: Principal, task: Task, id: str) -> PushConfig:
        """Look it up."""
        return await self._shown(await self.keeping.get(task, id))

    async def list(
        self, principal: Principal, task: Task, *, limit: int, after: str
    ) -> tuple[Sequence[PushConfig], str]:
        """A stretch of the few there are."""
        found = [webhook for webhook in await self.keeping.of_task(task) if webhook.id > after]
        following = found[limit - 1].id if len(found) > limit else ""
        return [await self._shown(webhook) for webhook in found[:limit]], following

    async def delete(self, principal: Principal, task: Task, id: str) -> None:
        """Forget it."""
        await self.keeping.remove(principal, task, id)

    async def _shown(self, webhook: Webhook) -> PushConfig:
        target = await self.keeping.target(webhook)
        authentication = Authentication(scheme=target.scheme) if target.scheme else None
        return PushConfig(url=target.url, id=webhook.name, task_id=webhook.task, authentication=authentication)


def _name(config: PushConfig, task: Task | None) -> str:
    """By which it is kept: a task's own id, where no other is given."""
    return config.id or (task.id if task else "")


def _target(config: PushConfig) -> Target:
    known = config.authentication
    return Target(
        url=config.url,
        token=config.token or None,
        scheme=known.scheme if known else None,
        credentials=known.credentials if known else None,
    )
