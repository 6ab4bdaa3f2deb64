"""The monitor, live: every message as it happens, in unnamed frames as the deployed page reads them.

Beside the message of an agent's or worker's registration goes an ``agent_status``. A page that comes back with its
``Last-Event-ID`` (or ``?since=``) misses nothing; one whose cursor is unknown gets ``resync`` first.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Final

from attrs import frozen
from starlette.types import ASGIApp

from codetether_adapters.http.call import Call
from codetether_adapters.http.resources.following import BEAT, Dialect, live
from codetether_adapters.http.resources.request_headers import LAST_EVENT_ID
from codetether_adapters.http.responses import encode_json
from codetether_adapters.http.routing import Route
from codetether_adapters.sse import json_frame
from codetether_core.events import Cursor, Record, Topic
from codetether_core.services import MESSAGE_KINDS, told
from codetether_core.tasks import Task

__all__ = ["ROUTES"]


@frozen
class Follow:
    """From a cursor on; without one from now, or with ``replay`` from the first message that is kept."""

    since: str | None = None
    replay: bool = False


async def stream(call: Call) -> ASGIApp:
    """Follow the monitor."""
    return call.stream(_frames(call, call.since, call.query(Follow).replay))


async def _frames(call: Call, after: Cursor | None, replay: bool) -> AsyncIterator[bytes]:
    topic = Topic(call.principal.tenant)
    source = live(call.services.watching, topic, _MONITOR, after, from_start=replay, beat=BEAT)
    greeting = json_frame(encode_json({"type": "connected", "timestamp": call.services.clock.now()}))
    async with aclosing(source):
        async for frame in source:
            yield greeting + frame
            greeting = b""


def _render(record: Record, cursor: str) -> bytes:
    frame = json_frame(encode_json(told(record)), id=cursor)
    if record.kind not in ("agent.registered", "worker.registered"):
        return frame
    data = json.loads(record.body)
    id = data.get("worker_id") or data["agent_name"]
    status = {"agent_id": id, "name": data.get("name") or id, "status": "active", "messages_count": 0}
    return json_frame(encode_json(status), event="agent_status") + frame


def _no_ending(task: Task) -> bytes:
    """The monitor outlives every task."""
    return b""


_MONITOR: Final = Dialect("monitor", MESSAGE_KINDS, _render, _no_ending)

ROUTES: Final = (
    Route(
        "GET", "/v1/monitor/stream", stream, "monitor:read",
        summary="Follow the monitor", tag="monitor", query=Follow,
        headers=(LAST_EVENT_ID,), stream="monitor", errors=(410,),
    ),
)  # fmt: skip
