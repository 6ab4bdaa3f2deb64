"""The store that the settings name: entry points of the group ``codetether.backends``.

``faulty+`` before the scheme puts faults in front of it, for rehearsals (``codetether_adapters.faults``).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Final, Protocol
from urllib.parse import urlsplit

from codetether_adapters.faults import PREFIX, faulty, rehearsal
from codetether_apps.settings import Settings
from codetether_apps.wiring.openers import opener
from codetether_apps.wiring.refusals import told_as_settings
from codetether_core.ports import Backend

__all__ = ["BACKENDS", "EMBEDDED", "is_embedded", "open_backend"]

BACKENDS: Final = "codetether.backends"
"""The group of their entry points."""

EMBEDDED: Final = frozenset({"memory", "sqlite"})
"""Stores that live in the server's own process."""


class _Opener(Protocol):
    """What an entry point is. A ``strict`` store loses nothing that it accepted, or says that it cannot."""

    def __call__(self, url: str, *, strict: bool) -> AbstractAsyncContextManager[Backend]: ...


def is_embedded(settings: Settings) -> bool:
    """Whether the store needs nobody else."""
    return urlsplit(settings.store_url.removeprefix(PREFIX)).scheme in EMBEDDED


@asynccontextmanager
async def open_backend(settings: Settings) -> AsyncIterator[Backend]:
    """The store that the settings name; ``SettingsError`` where no adapter knows it, or a package is missing."""
    url, faults = settings.store_url, None
    if url.startswith(PREFIX):
        with told_as_settings(settings):
            url, faults = rehearsal(url)
    async with AsyncExitStack() as stack:
        open_store: _Opener = opener(BACKENDS, "storage.store", settings, url)
        opening = open_store(url, strict=settings.storage.strict_durability)
        with told_as_settings(settings):
            backend = await stack.enter_async_context(faulty(opening, faults) if faults else opening)
        yield backend
