"""The sockets and the HTTP server on them, which may be there before the application is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager

import structlog
from attrs import define, field
from starlette.types import ASGIApp

from codetether_adapters.http import Drain
from codetether_apps.process import Stopping, collect_seldom
from codetether_apps.serving.listening import Bind, bound, listen
from codetether_apps.serving.serve import serve
from codetether_apps.serving.tls import Tls
from codetether_apps.serving.waiting_room import WaitingRoom
from codetether_apps.settings import Settings

__all__ = ["Front", "open_front"]

_log = structlog.get_logger(__name__)


@define(eq=False)
class Front:
    """Bound once: who waited with ``wait`` hands over to the application within ``serve``, and nobody is refused a
    connection meanwhile. ``drain`` is to be the application's.
    """

    _settings: Settings
    _tls: Tls | None
    _stopping: Stopping
    _leaving: Stopping
    _sockets: ExitStack
    _also: Sequence[tuple[int, str]] = ()
    _alone: bool = False
    drain: Drain = field(factory=Drain, init=False)
    _binds: tuple[Bind, ...] = field(default=(), init=False)
    _room: WaitingRoom | None = field(default=None, init=False)
    _serving: asyncio.Task[None] | None = field(default=None, init=False)

    def bind(self) -> tuple[Bind, ...]:
        """The sockets; ``StartError`` says why they cannot be had."""
        if not self._binds:
            self._binds = self._sockets.enter_context(bound(self._settings, self._tls, self._also, alone=self._alone))
        return self._binds

    def listen(self) -> tuple[Bind, ...]:
        """The sockets, on which connections are accepted from now on."""
        binds = self.bind()
        if self._serving is None:
            listen(binds)
        return binds

    def wait(self, reason: str) -> None:
        """From now on probes are answered, and told the reason why nothing else is."""
        if self._room is not None:
            self._room.reason = reason
            return
        binds = self.listen()
        self._room = WaitingRoom(reason, self._settings.server.base_path)
        self._serving = self._start(self._room)
        self._serving.add_done_callback(lambda _: self._stopping.ask())  # nobody goes on waiting without it
        _log.info("waiting", probes=[bind.url for bind in binds], reason=reason)

    async def serve(self, application: ASGIApp) -> None:
        """Serve the application until we leave; return once nothing is served any more."""
        collect_seldom()
        if self._room is None or self._serving is None:
            self._serving = self._start(application)
        else:
            self._room.application = application
        await self._serving

    async def close(self) -> None:
        """Serve nothing any more; raises what ended the serving, if that was no wish of ours."""
        if self._serving is not None:
            self._leaving.ask()
            await asyncio.wait({self._serving})
            self._serving.result()

    def _start(self, application: ASGIApp) -> asyncio.Task[None]:
        return asyncio.create_task(
            serve(application, self._binds, self._settings, drain=self.drain, stopping=self._leaving)
        )


@asynccontextmanager
async def open_front(
    settings: Settings,
    tls: Tls | None,
    stopping: Stopping,
    leaving: Stopping | None = None,
    *,
    also: Sequence[tuple[int, str]] = (),
    alone: bool = False,
) -> AsyncIterator[Front]:
    """It serves until ``leaving`` is asked, who else ``stopping`` is; that is asked if it cannot serve.

    ``also`` are further ports to serve on, and the flags that name them; ``alone`` there are no others.
    """
    with ExitStack() as sockets:
        front = Front(settings, tls, stopping, leaving or stopping, sockets, also, alone)
        try:
            yield front
        finally:
            await front.close()
