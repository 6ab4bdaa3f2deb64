"""Finding the adapter of a store by its URL's scheme: entry points of the group ``codetether.backends``.

``faulty+`` before the scheme puts faults in front of it, for rehearsals (``codetether_adapters.faults``).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from importlib.metadata import EntryPoint, entry_points
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from codetether_adapters.faults import PREFIX, faulty, rehearsal
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
    return urlsplit(settings.store_url.removeprefix(PREFIX)).scheme in EMBEDDED


@asynccontextmanager
async def open_backend(settings: Settings) -> AsyncIterator[Backend]:
    """The store that the settings name; ``SettingsError`` where no adapter knows it, or a package is missing."""
    origin = settings.origin("storage.store")
    url, faults = settings.store_url, None
    if url.startswith(PREFIX):
        with _refused(origin):
            url, faults = rehearsal(url)
    scheme = urlsplit(url).scheme
    known = {found.name: found for found in entry_points(group=_GROUP)}
    if scheme not in known:
        raise SettingsError(
            f"storage.store ({origin}) names {scheme}://, which no installed adapter knows",
            hint=f"there are {', '.join(sorted(known))}",
        )
    async with AsyncExitStack() as stack:
        opening = _load(known[scheme])(url)
        with _refused(origin):
            backend = await stack.enter_async_context(faulty(opening, faults) if faults else opening)
        yield backend


@contextmanager
def _refused(origin: str) -> Iterator[None]:
    """Say which setting an adapter finds wrong."""
    try:
        yield
    except Invalid as error:
        raise SettingsError(f"storage.store ({origin}) {error.problem}", hint=error.hint) from None


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
