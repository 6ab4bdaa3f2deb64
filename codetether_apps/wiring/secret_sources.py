"""Secrets of the settings that are kept elsewhere, read before anything is opened that needs them.

A process that goes on for long waits for a vault that does not answer, and says so to whoever asks it; a command tells
and ends. Either reads only what it needs: a worker may know nothing of the server's store.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from itertools import chain, repeat
from typing import Final

import structlog

from codetether_apps.process import AskedToLeave, Stopping
from codetether_apps.settings import Reference, Settings, SettingsError, references, resolved
from codetether_apps.wiring.keeping import keep_running
from codetether_apps.wiring.presence import tell_of_absence
from codetether_core.errors import NotFound, PermissionDenied, Unavailable
from codetether_core.ports import SecretSource

__all__ = ["CLIENTS", "SERVERS", "WORKERS", "open_secrets", "with_secrets"]

SERVERS: Final = ("storage", "auth", "oidc", "encryption", "limits")
WORKERS: Final = ("client", "encryption")
CLIENTS: Final = ("client",)
"""The sections whose secrets they need; commands that open the store are of the first."""

_PAUSES: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds between two attempts; the last one from then on."""

_LOOK_EVERY: Final = 2.0

_SOON: Final = 0.5
"""Seconds for a vault that answers. Who waits longer tells of it."""

_WAITING: Final = "The secrets of its settings are not to be had yet"
_OPENING: Final = "Its secrets are known, and what they are needed for is being opened"

_log = structlog.get_logger(__name__)


def _to_nobody(reason: str) -> None:
    """A process that nobody asks."""


@asynccontextmanager
async def open_secrets(
    settings: Settings, sections: tuple[str, ...], stopping: Stopping, tell: Callable[[str], None] = _to_nobody
) -> AsyncIterator[Settings]:
    """The settings with the secrets of these sections, once they are to be had; within, we stay signed in.

    Where that takes long, ``tell`` is called with what is waited for, in words for everybody.
    ``SettingsError`` if there is no such secret for us, ``AskedToLeave`` if we are before we know.
    """
    wanted = dict(references(settings, *sections))
    if not wanted:
        yield settings
        return
    from codetether_apps.wiring.vault import open_the_vault

    async with open_the_vault(settings) as vault:
        known = resolved(settings, await _unless_asked_to_leave(settings, vault, wanted, stopping, tell))
        keeping = asyncio.create_task(
            keep_running("secrets", partial(tell_of_absence, "secrets", vault.keep, every=_LOOK_EVERY))
        )
        try:
            yield known
        finally:
            keeping.cancel()
            await asyncio.wait({keeping})


def with_secrets(settings: Settings, sections: tuple[str, ...]) -> Settings:
    """The same for a command; ``Unavailable`` if the vault does not answer now."""
    wanted = dict(references(settings, *sections))
    return resolved(settings, asyncio.run(_read_once(settings, wanted))) if wanted else settings


async def _read_once(settings: Settings, wanted: Mapping[str, Reference]) -> dict[str, str]:
    from codetether_apps.wiring.vault import open_the_vault

    async with open_the_vault(settings) as vault:
        return await _read(settings, vault, wanted)


async def _unless_asked_to_leave(
    settings: Settings,
    source: SecretSource,
    wanted: Mapping[str, Reference],
    stopping: Stopping,
    tell: Callable[[str], None],
) -> dict[str, str]:
    reading = asyncio.create_task(_read_at_last(settings, source, wanted))
    asked = asyncio.create_task(stopping.wait())
    try:
        either = await asyncio.wait({reading, asked}, timeout=_SOON, return_when=asyncio.FIRST_COMPLETED)
        if not either[0]:
            tell(_WAITING)
            await asyncio.wait({reading, asked}, return_when=asyncio.FIRST_COMPLETED)
        if not reading.done():
            raise AskedToLeave("asked to leave before the vault with the secrets answered")
        secrets = reading.result()
        if not either[0]:
            tell(_OPENING)
        return secrets
    finally:
        reading.cancel()
        asked.cancel()
        await asyncio.wait({reading, asked})


async def _read_at_last(settings: Settings, source: SecretSource, wanted: Mapping[str, Reference]) -> dict[str, str]:
    told, pauses = "", chain(_PAUSES, repeat(_PAUSES[-1]))
    while True:
        try:
            secrets = await _read(settings, source, wanted)
        except Unavailable as error:
            if error.message != told:
                waiting = {"address": settings.vault.addr, "settings": [*wanted]}
                _log.warning("secrets_unavailable", **waiting, error=error.message, hint=error.hint)
            told = error.message
            await asyncio.sleep(next(pauses))
        else:
            if told:
                _log.warning("secrets_back")
            return secrets


async def _read(settings: Settings, source: SecretSource, wanted: Mapping[str, Reference]) -> dict[str, str]:
    secrets = {}
    for name, reference in wanted.items():
        try:
            secrets[name] = await source.read(reference.name)
        except (NotFound, PermissionDenied) as error:
            where = f"{name} ({settings.origin(name)}) is kept at {reference}"
            raise SettingsError(f"{where}: {error.message}", hint=error.hint, setting=name) from None
    return secrets
