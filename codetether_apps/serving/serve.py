"""Serving until asked to leave, and leaving in bounded time.

Not ready, then no new streams and every open one ended, then what is in flight answered; what takes longer than the
drain time is cut off. Hypercorn 0.18 on CPython 3.12 and later would wait for its last client whatever its own limit
says (its issue 308), so nothing here relies on it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any, Final

import structlog
from starlette.types import ASGIApp

from codetether_adapters.http import Drain
from codetether_apps.process import Stopping
from codetether_apps.serving.bounds import Bounds
from codetether_apps.serving.engines import ENGINES, Engine
from codetether_apps.serving.listening import Bind
from codetether_apps.serving.requests import InFlight, logged
from codetether_apps.settings import Settings

__all__ = ["serve"]

_CUT: Final = 2.0
"""Seconds for a connection to end once its request was cut off."""

_log = structlog.get_logger(__name__)


async def serve(
    application: ASGIApp, binds: Sequence[Bind], settings: Settings, *, drain: Drain, stopping: Stopping
) -> None:
    """Serve on listening sockets until ``stopping``; return once nothing is served any more."""
    bounds = Bounds(idle=settings.server.idle_timeout, stall=settings.server.stall_timeout)
    requests = InFlight(logged(application) if settings.server.access_log else application, bounds.streams)
    leave = asyncio.Event()

    async def left() -> None:
        await leave.wait()

    serving = asyncio.ensure_future(_carried(ENGINES[settings.server.asgi], requests, binds, left, bounds))
    asked = asyncio.ensure_future(stopping.wait())
    try:
        await asyncio.wait({serving, asked}, return_when=asyncio.FIRST_COMPLETED)
        if not serving.done():
            _log.info("draining", streams=drain.open)
            drain.begin()
            leave.set()
            await _end(serving, requests, settings.process.drain)
    finally:
        asked.cancel()
        serving.cancel()
        await asyncio.wait({serving})
    if not serving.cancelled() and (error := serving.exception()) is not None:
        raise error


async def _carried(
    engine: Engine,
    application: ASGIApp,
    binds: Sequence[Bind],
    left: Callable[[], Awaitable[None]],
    bounds: Bounds,
) -> None:
    async with asyncio.TaskGroup() as group:
        for bind in binds:
            group.create_task(engine(application, bind.listener, bind.tls, left, bounds))


async def _end(serving: asyncio.Future[None], requests: InFlight, patience: timedelta) -> None:
    await asyncio.wait({serving}, timeout=patience.total_seconds())
    if not serving.done():
        asyncio.get_running_loop().set_exception_handler(_but_for_what_is_cut)
        _log.warning("requests_cut", requests=requests.cut())
        await asyncio.wait({serving}, timeout=_CUT)


def _but_for_what_is_cut(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """CPython 3.11 takes it for an error that the task of a connection was cancelled."""
    if not isinstance(context.get("exception"), asyncio.CancelledError):
        loop.default_exception_handler(context)
