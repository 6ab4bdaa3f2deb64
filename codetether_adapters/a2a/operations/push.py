"""Webhooks of a task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from codetether_adapters.a2a.agent import Agent, PushConfigs
from codetether_adapters.a2a.bounds import page_size
from codetether_adapters.a2a.errors import PUSH_NOTIFICATION_NOT_SUPPORTED, Refused
from codetether_adapters.a2a.request import Request
from codetether_adapters.a2a_wire.dialect import Dialect
from codetether_adapters.a2a_wire.v03 import V03
from codetether_adapters.a2a_wire.v1 import V1
from codetether_adapters.a2a_wire.values import ListPushConfigs, NamedPushConfig, PushConfig
from codetether_core.errors import Invalid, NotFound

__all__ = ["create", "delete", "find", "get"]

_WHERE: Final[Mapping[str, str]] = {V1.name: "", V03.name: "pushNotificationConfig"}
"""The member of the parameters that has the webhook itself."""

_DEFAULT: Final = "default"
"""What clients of release 0.3 call the one that was given without an id."""


async def create(agent: Agent, request: Request, dialect: Dialect, params: Any) -> Any:
    """Keep one."""
    configs = _configs(agent)
    config = dialect.parse(PushConfig, params)
    if not config.task_id:
        raise Invalid("taskId", "is required")
    task = await agent.task(request.principal, config.task_id)
    await configs.check(config, _WHERE[dialect.name], task)
    return dialect.dump(await configs.create(request, task, config, dialect.name))


async def get(agent: Agent, request: Request, dialect: Dialect, params: Any) -> Any:
    """Show one."""
    configs = _configs(agent)
    asked = dialect.parse(NamedPushConfig, params)
    task = await agent.task(request.principal, asked.task_id)
    try:
        found = await configs.get(request.principal, task, asked.id or task.id)
    except NotFound:
        if dialect is not V03 or asked.id != _DEFAULT:
            raise
        found = await configs.get(request.principal, task, task.id)
    return dialect.dump(found)


async def find(agent: Agent, request: Request, dialect: Dialect, params: Any) -> Any:
    """Show a page of them."""
    configs = _configs(agent)
    asked = dialect.parse(ListPushConfigs, params)
    limit = page_size(asked.page_size)
    task = await agent.task(request.principal, asked.task_id)
    found, following = await configs.list(request.principal, task, limit=limit, after=asked.page_token)
    return dialect.configs(found, following)


async def delete(agent: Agent, request: Request, dialect: Dialect, params: Any) -> Any:
    """Forget one."""
    configs = _configs(agent)
    asked = dialect.parse(NamedPushConfig, params)
    task = await agent.task(request.principal, asked.task_id)
    await configs.delete(request.principal, task, asked.id or task.id)
    return dialect.nothing


def _configs(agent: Agent) -> PushConfigs:
    if agent.push is None:
        raise Refused(PUSH_NOTIFICATION_NOT_SUPPORTED)
    return agent.push
