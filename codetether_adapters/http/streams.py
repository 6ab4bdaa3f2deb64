"""Server-sent events as an ASGI answer.

The frames are the handler's: encoded once per event and shared by all readers, keep-alive comments included. This
module sends them, notices a client that goes while the source is silent, and ends when the process leaves.

ASGI tells of a client's going through ``receive`` only, so one small task per stream waits there; the source is
interrupted as ``asyncio.timeout`` interrupts what runs under it: by cancelling the stream's own task and taking
that one cancellation back.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

from attrs import Factory, define, field
from starlette.types import Message, Receive, Scope, Send

from codetether_adapters.http.drain import Drain

__all__ = ["EventStream", "departure"]

_HEADERS: Final = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache, no-store"),
    (b"x-accel-buffering", b"no"),
)
_STALLED: Final = 5.0
"""How long a reader that does not read may hold up our leaving, in seconds."""


@define(eq=False)
class EventStream:
    """``source``'s frames until it ends, the client goes, or ``drain`` begins; then ``farewell`` and a clean end.

    It also ends when the reader's ``standing`` does. The source is closed in every case, before the stream returns.
    """

    source: AsyncIterator[bytes]
    drain: Drain = field(factory=Drain)
    farewell: bytes = b""
    standing: Callable[[Callable[[], None]], AbstractContextManager[None]] = lambda fall: nullcontext()
    headers: Sequence[tuple[bytes, bytes]] = _HEADERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer (ASGI)."""
        await send({"type": "http.response.start", "status": 200, "headers": [*self.headers]})
        if scope["method"] == "HEAD":
            await _close(self.source)
            await send(_END)
            return
        await send(_chunk(b""))  # some servers send no headers before a first chunk
        if await self._run(receive, send):
            if self.farewell and self.drain.begun:
                await send(_chunk(self.farewell))
            await send(_END)

    async def _run(self, receive: Receive, send: Send) -> bool:
        """Send the source's frames; whether the stream can still be ended properly."""
        interruption = _Interruption()
        watcher = asyncio.ensure_future(departure(receive))
        watcher.add_done_callback(lambda _: interruption.cut())
        try:
            with self.drain.watched(interruption.end), self.standing(interruption.end):
                async for frame in self.source:
                    interruption.sending = True
                    await send(_chunk(frame))
                    interruption.sending = False
                    if interruption.ending:
                        break
        except asyncio.CancelledError:
            if not interruption.is_ours():
                raise
        finally:
            interruption.disarm()
            watcher.cancel()
            await _close(self.source)
        return not interruption.severed


def _this_task() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    if task is None:
        raise RuntimeError("an ASGI application runs in a task")
    return task


@define(eq=False)
class _Interruption:
    """Breaks off the task that made it: gently between two frames (``end``), or anywhere (``cut``)."""

    sending: bool = field(default=False, init=False)
    ending: bool = field(default=False, init=False)
    severed: bool = field(default=False, init=False)
    _task: asyncio.Task[Any] = field(factory=_this_task, init=False)
    _earlier: int = field(default=Factory(lambda self: self._task.cancelling(), takes_self=True), init=False)
    _cancelled: bool = field(default=False, init=False)
    _armed: bool = field(default=True, init=False)
    _timer: asyncio.TimerHandle | None = field(default=None, init=False)

    def end(self) -> None:
        self.ending = True
        if self.sending:
            self._timer = asyncio.get_running_loop().call_later(_STALLED, self.cut)
        else:
            self._cancel()

    def cut(self) -> None:
        if self._armed:
            self.severed = True
            self._cancel()

    def is_ours(self) -> bool:
        """Whether the cancellation that arrived was asked for here and by nobody else."""
        return self._cancelled and self._task.uncancel() <= self._earlier

    def disarm(self) -> None:
        self._armed = False
        if self._timer is not None:
            self._timer.cancel()

    def _cancel(self) -> None:
        if self._armed and not self._cancelled:
            self._cancelled = True
            self._task.cancel()


async def departure(receive: Receive) -> None:
    """Return when the client is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _close(source: AsyncIterator[bytes]) -> None:
    close = getattr(source, "aclose", None)
    if close is not None:
        await close()


def _chunk(frame: bytes) -> Message:
    return {"type": "http.response.body", "body": frame, "more_body": True}


_END: Final[Message] = {"type": "http.response.body", "body": b"", "more_body": False}
