"""Certificates that are renewed while we serve: on SIGHUP, and whenever their files have changed."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import structlog

from codetether_apps.serving.tls import Tls
from codetether_apps.settings import SettingsError

__all__ = ["reloading"]

_LOOK: Final = 2.0
"""Seconds between two looks at the files."""

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def reloading(tls: Tls | None) -> AsyncIterator[None]:
    """Within, new connections get what the files say now; open ones go on with what they began with."""
    if tls is None:
        yield
        return
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, asked.set)
    watching = asyncio.create_task(_watch(tls, asked))
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.wait({watching})
        loop.remove_signal_handler(signal.SIGHUP)


async def _watch(tls: Tls, asked: asyncio.Event) -> None:
    """A change counts once it stays, as a certificate and its key are not written at the same moment."""
    before = tls.tried
    while True:
        with suppress(TimeoutError):
            await asyncio.wait_for(asked.wait(), _LOOK)
        now = tls.fingerprint()
        if asked.is_set() or now == before != tls.tried:
            asked.clear()
            _reload(tls)
        before = now


def _reload(tls: Tls) -> None:
    try:
        until = tls.reload()
    except SettingsError as error:
        _log.warning("certificate_not_reloaded", reason=error.message, hint=f"{error.hint}; the old one is in force")
    else:
        _log.info("certificate_reloaded", until=until.isoformat())
