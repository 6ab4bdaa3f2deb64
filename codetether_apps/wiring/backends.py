"""Finding the adapter of a store by its URL's scheme: entry points of the group ``codetether.backends``."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from importlib.metadata import EntryPoint, entry_points
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from codetether_apps.settings import Settings, SettingsError
from codetether_core.errors import Invalid
from codetether_core.ports import Backend

__all__ = ["EMBEDDED", "is_embedded", "open_backend"]

_GROUP: Final = "codetether.backends"

EMBEDDED: Final = frozenset({"memory", "sqlite"})
"""Stores that live in the server's own process."""

_Opener: TypeAlias = Callable[[str], AbstractAsyncContextManager[Backend]]


def is_embedded(settings: Settings) -> bool:
    """Whether the store needs nobody else."""
    return urlsplit(settings.store_url).scheme in EMBEDDED


@asynccontextmanager
async def open_backend(settings: Settings) -> AsyncIterator[Backend]:
    """The store that the settings name; ``SettingsError`` where no adapter knows it, or a package is missing."""
    origin = settings.origin("storage.store")
    scheme = urlsplit(settings.store_url).scheme
    known = {found.name: found for found in entry_points(group=_GROUP)}
    if scheme not in known:
        raise SettingsError(
            f"storage.store ({origin}) names {scheme}://, which no installed adapter knows",
            hint=f"there are {', '.join(sorted(known))}",
        )
    async with AsyncExitStack() as stack:
        try:
            backend = await stack.enter_async_context(_load(known[scheme])(settings.store_url))
        except Invalid as error:
            raise SettingsError(f"storage.store ({origin}) {error.problem}", hint=error.hint) from None
        yield backend


def _load(found: EntryPoint) -> _Opener:
    try:
        opener: _Opener = found.load()
    except ModuleNotFoundError as error:
        extra = found.module.removeprefix("codetether_adapters.").partition(".")[0]
        raise SettingsError(
            f"the store {found.name}:// needs the package {error.name}",
            hint=f"pip install 'codetether-hub[{extra}]'",
        ) from None
    return opener
