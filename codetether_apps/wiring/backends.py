"""The store that the settings name: entry points of the group ``codetether.backends``.

``faulty+`` before the scheme puts faults in front of it, for rehearsals (``codetether_adapters.faults``).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final
from urllib.parse import urlsplit

from codetether_adapters.faults import PREFIX, faulty, rehearsal
from codetether_apps.settings import Settings
from codetether_apps.wiring.openers import Named, opener, refused
from codetether_core.ports import Backend

__all__ = ["EMBEDDED", "is_embedded", "open_backend"]

_STORE: Final = Named("storage.store", "codetether.backends")

EMBEDDED: Final = frozenset({"memory", "sqlite"})
"""Stores that live in the server's own process."""


def is_embedded(settings: Settings) -> bool:
    """Whether the store needs nobody else."""
    return urlsplit(settings.store_url.removeprefix(PREFIX)).scheme in EMBEDDED


@asynccontextmanager
async def open_backend(settings: Settings) -> AsyncIterator[Backend]:
    """The store that the settings name; ``SettingsError`` where no adapter knows it, or a package is missing."""
    url, faults = settings.store_url, None
    if url.startswith(PREFIX):
        with refused(_STORE, settings):
            url, faults = rehearsal(url)
    async with AsyncExitStack() as stack:
        opening = opener(_STORE, settings, url)(url)
        with refused(_STORE, settings):
            backend = await stack.enter_async_context(faulty(opening, faults) if faults else opening)
        yield backend
