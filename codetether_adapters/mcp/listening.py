"""Streams of what changes (``subscriptions/listen``): each follows the log by itself, and replicas share nothing.

The library has such a handler too, which knows nothing of tasks. Here nothing is kept for a slow reader: the log is
read on when it has taken what there was.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing, suppress
from typing import Any, Final, TypeAlias

from mcp import types
from mcp.shared.exceptions import MCPError
from mcp.shared.subscriptions import SUBSCRIPTION_ID_META_KEY
from pydantic import BaseModel

from codetether_adapters.mcp.caller import Exchange
from codetether_adapters.mcp.served import ListChange, Served, TaskChange, Update, Watch
from codetether_core.errors import CodeTetherError

__all__ = ["listening"]

_INTERNAL: Final = -32603
_TASKS: Final = "taskIds"
_LISTS: Final[Mapping[ListChange, str]] = {
    ListChange.TOOLS: "tools/list_changed",
    ListChange.PROMPTS: "prompts/list_changed",
    ListChange.RESOURCES: "resources/list_changed",
}
_Tell: TypeAlias = Callable[[str, Mapping[str, Any]], Awaitable[None]]
"""Sends a notification: what it is, and what it says."""


class _Notification(BaseModel):
    method: str
    params: dict[str, Any]


def listening(served: Served, exchange_of: Callable[[Any, Any], Exchange]) -> Any:
    """The library's handler; it ends a stream properly when we leave or what the caller showed counts no longer."""

    async def listen(context: Any, params: types.SubscriptionsListenRequestParams) -> types.SubscriptionsListenResult:
        exchange, meta = exchange_of(context, params), {SUBSCRIPTION_ID_META_KEY: context.request_id}
        watch = await served.watchable(exchange, _asked(params.notifications))

        async def tell(what: str, says: Mapping[str, Any]) -> None:
            notification = _Notification(method=f"notifications/{what}", params={**says, "_meta": meta})
            await context.session.send_notification(notification, related_request_id=context.request_id)

        telling = asyncio.create_task(_tell(served.updates(exchange, watch), watch, tell))
        try:
            with exchange.caller.standing(lambda: _end(telling)):
                await asyncio.wait({telling})
        finally:
            telling.cancel()
        if not telling.cancelled():
            telling.result()
        return types.SubscriptionsListenResult(_meta=meta)

    return listen


def _end(telling: asyncio.Task[None]) -> None:
    telling.cancel()


async def _tell(updates: AsyncGenerator[Update | None, None], watch: Watch, tell: _Tell) -> None:
    """Tell what changes until it cannot be told any more: the client listens again then."""
    begun = False
    with suppress(CodeTetherError):
        async with aclosing(updates) as source:
            async for update in source:
                if not begun:
                    await tell("subscriptions/acknowledged", {"notifications": _shown(watch)})
                    begun = True
                match update:
                    case None:
                        continue
                    case ListChange():
                        await tell(_LISTS[update], {})
                    case TaskChange():
                        await tell("tasks", update.shown)
                    case _:
                        await tell("resources/updated", {"uri": update})
    if not begun:
        raise MCPError(_INTERNAL, "Nothing can be followed now; listen again")


def _asked(notifications: types.SubscriptionFilter) -> Watch:
    """What is asked for; that of the tasks extension the library does not know, and lets through as it is."""
    given = notifications.model_dump(by_alias=True)
    tasks = given.get(_TASKS)
    return Watch(
        uris=notifications.resource_subscriptions or (),
        tasks=[each for each in tasks if isinstance(each, str)] if isinstance(tasks, list) else (),
        lists=[change for change in ListChange if given.get(change.value) is True],
    )


def _shown(watch: Watch) -> Mapping[str, Any]:
    """What will be told of, as it was asked for."""
    parts: Mapping[str, Any] = {"resourceSubscriptions": [*watch.uris], _TASKS: [*watch.tasks]}
    return {change.value: True for change in watch.lists} | {name: part for name, part in parts.items() if part}
