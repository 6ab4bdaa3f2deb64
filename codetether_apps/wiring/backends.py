"""The store that the settings name: entry points of the group ``codetether.backends``.

``faulty+`` before the scheme puts faults in front of it, for rehearsals (``codetether_adapters.faults``).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from inspect import signature
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

from codetether_adapters.faults import PREFIX, faulty, rehearsal
from codetether_apps.settings import Settings
from codetether_apps.wiring.channels import NOTIFIER
from codetether_apps.wiring.openers import opener
from codetether_apps.wiring.refusals import KEEPER, of_no_use, told_as_settings
from codetether_core.ports import Backend, OpenChannel

__all__ = ["BACKENDS", "EMBEDDED", "is_embedded", "open_backend"]

BACKENDS: Final = "codetether.backends"
"""The group of their entry points."""

EMBEDDED: Final = frozenset({"memory", "sqlite"})
"""Stores that live in the server's own process."""


class _Opener(Protocol):
    """What an entry point is. A ``strict`` store loses nothing that it accepted, or says that it cannot.

    One that has processes tell each other of its commits over any channel takes ``open_channel`` besides; one that can
    have another login for what concerns all tenants takes its address, ``keeper``.
    """

    def __call__(self, url: str, *, strict: bool, **more: Any) -> AbstractAsyncContextManager[Backend]: ...


def is_embedded(settings: Settings) -> bool:
    """Whether the store needs nobody else."""
    return urlsplit(settings.store_url.removeprefix(PREFIX)).scheme in EMBEDDED


@asynccontextmanager
async def open_backend(settings: Settings, *, open_channel: OpenChannel | None = None) -> AsyncIterator[Backend]:
    """The store that the settings name, which wakes other processes over the channel that is given or in its own way.

    ``SettingsError`` where no adapter knows it, a package is missing, or it has no use for a channel or a keeper.
    """
    url, faults = settings.store_url, None
    if url.startswith(PREFIX):
        with told_as_settings(settings):
            url, faults = rehearsal(url)
    open_store: _Opener = opener(BACKENDS, "storage.store", settings, url)
    given = {"open_channel": (NOTIFIER, open_channel), "keeper": (KEEPER, settings.storage.store_keeper)}
    more = {option: value for option, (_, value) in given.items() if value is not None}
    for option in more.keys() - signature(open_store).parameters.keys():
        raise of_no_use(settings, given[option][0], url)
    async with AsyncExitStack() as stack:
        opening = open_store(url, strict=settings.storage.strict_durability, **more)
        with told_as_settings(settings):
            backend = await stack.enter_async_context(faulty(opening, faults) if faults else opening)
        yield backend
