"""The streams that clients watch: a codebase's events, a task's, a task's output.

The canonical paths speak our own dialect, the deployed prefixes the deployed one.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Final

from attrs import frozen
from starlette.types import ASGIApp

from codetether_adapters.http.call import Call
from codetether_adapters.http.resources import following
from codetether_adapters.http.resources.deployed_events import DEPLOYED, greeting
from codetether_adapters.http.resources.following import Dialect, live, of_task
from codetether_adapters.http.resources.request_headers import LAST_EVENT_ID
from codetether_adapters.http.resources.task_events import CANONICAL, OUTPUT
from codetether_adapters.http.routing import Route
from codetether_core.events import Topic
from codetether_core.ids import CodebaseId, TaskId
from codetether_core.tasks import ANYWHERE

__all__ = ["ROUTES", "StreamFilter"]

_TAG: Final = "streams"
_CANONICAL_ALIAS: Final = "agent"


@frozen
class StreamFilter:
    """Where to begin: after the cursor ``since`` (``Last-Event-ID`` comes first), from the start, or now."""

    since: str = ""
    replay: bool = False


async def codebase_events(call: Call) -> ASGIApp:
    """What happens on a codebase."""
    id = CodebaseId(call.path["id"])
    known = None if id in ANYWHERE else await call.services.backend.codebases.get(call.principal.tenant, id)
    dialect = _dialect(call)
    frames = live(
        call.services.watching,
        Topic.codebase(call.principal.tenant, id),
        dialect,
        call.since,
        from_start=call.query(StreamFilter).replay,
        beat=following.BEAT,
    )
    return call.stream(_greeted(greeting(id, known), frames) if dialect is DEPLOYED else frames)


async def task_events(call: Call) -> ASGIApp:
    """What happens to a task, to its end.

    A cancelled one goes on until its worker has confirmed that nothing runs any more (``stopped``), for at most a
    minute.
    """
    return await _of_task(call, _dialect(call))


async def task_output(call: Call) -> ASGIApp:
    """What a task's runs print, to its end."""
    return await _of_task(call, OUTPUT)


async def _of_task(call: Call, dialect: Dialect) -> ASGIApp:
    task = await call.services.backend.tasks.get(call.principal.tenant, TaskId(call.path["id"]))
    return call.stream(of_task(call.services, task, dialect, call.since, beat=following.BEAT))


async def _greeted(first: bytes, frames: AsyncGenerator[bytes, None]) -> AsyncIterator[bytes]:
    yield first
    async with aclosing(frames):
        async for chunk in frames:
            yield chunk


def _dialect(call: Call) -> Dialect:
    return CANONICAL if call.alias == _CANONICAL_ALIAS else DEPLOYED


_P: Final = "/v1/agent"

ROUTES: Final = (
    Route(
        "GET",
        f"{_P}/codebases/{{id}}/events",
        codebase_events,
        "tasks:read",
        summary="Watch a codebase",
        tag=_TAG,
        query=StreamFilter,
        headers=(LAST_EVENT_ID,),
        stream="codebase-events",
        errors=(404,),
    ),
    Route(
        "GET",
        f"{_P}/tasks/{{id}}/events",
        task_events,
        "tasks:read",
        summary="Watch a task to its end",
        tag=_TAG,
        query=StreamFilter,
        headers=(LAST_EVENT_ID,),
        stream="task-events",
        errors=(404,),
    ),
    Route(
        "GET",
        f"{_P}/tasks/{{id}}/output/stream",
        task_output,
        "tasks:read",
        summary="Watch a task's output to its end",
        tag=_TAG,
        query=StreamFilter,
        headers=(LAST_EVENT_ID,),
        stream="task-output",
        errors=(404,),
    ),
)
