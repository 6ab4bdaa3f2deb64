"""Finding an adapter by the scheme of a setting's URL: entry points of one group for each port."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import EntryPoint, entry_points
from typing import Any
from urllib.parse import urlsplit

from attrs import frozen

from codetether_apps.settings import Settings, SettingsError
from codetether_core.errors import Invalid

__all__ = ["Named", "opener", "refused"]


@frozen
class Named:
    """A setting that names an adapter: ``name`` is the setting's, ``group`` has those that it may name."""

    name: str
    group: str

    def said(self, settings: Settings) -> str:
        """The setting and its origin, as messages name it."""
        return f"{self.name} ({settings.origin(self.name)})"


def opener(named: Named, settings: Settings, url: str) -> Any:
    """What opens the URL; ``SettingsError`` where no adapter knows its scheme, or a package is missing."""
    scheme = urlsplit(url).scheme
    known = {found.name: found for found in entry_points(group=named.group)}
    if scheme not in known:
        raise SettingsError(
            f"{named.said(settings)} names {scheme}://, which no installed adapter knows",
            hint=f"there are {', '.join(sorted(known))}",
        )
    return _load(known[scheme], named)


@contextmanager
def refused(named: Named, settings: Settings) -> Iterator[None]:
    """Say which setting an adapter finds wrong."""
    try:
        yield
    except Invalid as error:
        raise SettingsError(f"{named.said(settings)} {error.problem}", hint=error.hint) from None


def _load(found: EntryPoint, named: Named) -> Any:
    try:
        return found.load()
    except ModuleNotFoundError as error:
        extra = found.module.removeprefix("codetether_adapters.").partition(".")[0]
        raise SettingsError(
            f"{named.name} names {found.name}://, which needs the package {error.name}",
            hint=f"pip install 'codetether-hub[{extra}]'",
        ) from None
