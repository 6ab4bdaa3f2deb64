"""Waiting for a task: nobody's going, ours or the client's, is the task's affair."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Final

from attrs import frozen

from codetether_adapters.mcp.arguments import argument
from codetether_adapters.mcp.beats import BEAT
from codetether_adapters.mcp.caller import Exchange
from codetether_adapters.mcp.clipping import clipped
from codetether_adapters.mcp.hub import Hub
from codetether_adapters.mcp.printed import printed
from codetether_adapters.mcp.results import Waited
from codetether_adapters.mcp.tasks import details, standing
from codetether_adapters.mcp.tool import LOOKS, Tool
from codetether_core.events import Page, Topic
from codetether_core.services import TASK_KINDS, Resync
from codetether_core.tasks import OUTPUT_KINDS, Task, TaskState

__all__ = ["WAIT_TASK", "WaitTask", "settled", "wait"]


@frozen(kw_only=True)
class WaitTask:
    task_id: str = argument("The task's id.", shortest=1, longest=200)
    timeout_seconds: int = argument("How long to wait at most.", 30, least=0, most=50)


async def wait(hub: Hub, exchange: Exchange, asked: WaitTask) -> Waited:
    """The task once it has ended or asks something, or as it is when the time is over or we leave."""
    task = await hub.task(exchange, asked.task_id)
    loop, limit = asyncio.get_running_loop(), asyncio.timeout(asked.timeout_seconds)
    try:
        async with limit:
            with exchange.caller.standing(lambda: None if limit.expired() else limit.reschedule(loop.time())):
                await settled(hub, exchange, task)
    except TimeoutError:
        if not limit.expired():
            raise
    task = await hub.task(exchange, asked.task_id)
    return Waited(task=await details(hub, exchange, task), timed_out=not _is_settled(task), unanswered=())


async def settled(hub: Hub, exchange: Exchange, task: Task) -> None:
    """Return once it has ended or asks something; meanwhile the client is told what it prints."""
    services, told = hub.services, 0
    topic = Topic.task(task.tenant, task.spec.codebase, task.id)
    async with aclosing(services.watching.follow(topic, kinds=TASK_KINDS, beat=BEAT)) as pages:
        async for page in pages:
            task = await services.backend.tasks.get(task.tenant, task.id)
            if exchange.wants_progress:
                told += 1
                await exchange.progress(told, _news(page, task))
            if _is_settled(task):
                return


def _is_settled(task: Task) -> bool:
    return task.ended or task.state is TaskState.INPUT_REQUIRED


def _news(page: Page | Resync, task: Task) -> str:
    """The last line that it printed, or how it stands."""
    records = () if isinstance(page, Resync) else page.records
    for record in reversed(records):
        if record.kind in OUTPUT_KINDS and (line := printed(record).strip()):
            return clipped(line.splitlines()[-1])
    return standing(task)


WAIT_TASK: Final = Tool(
    name="wait_task",
    title="Wait for a task",
    description=(
        "Wait until a task has ended or asks something, for up to timeout_seconds, and show it. While timed_out is true"
        " it goes on: call again. What it asks is put to your user, if your client can. Giving up the wait never stops"
        " the task."
    ),
    permission="tasks:read",
    arguments=WaitTask,
    result=Waited,
    hints=LOOKS,
    run=wait,
)
