"""Finding an adapter by the scheme of a setting's URL: entry points of one group for each port."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Any
from urllib.parse import urlsplit

from codetether_apps.settings import Settings, SettingsError

__all__ = ["opener"]


def opener(group: str, name: str, settings: Settings, url: str) -> Any:
    """What opens the URL that a setting has; ``SettingsError`` where no adapter knows it, or a package is missing."""
    scheme = urlsplit(url).scheme
    known = {found.name: found for found in entry_points(group=group)}
    if scheme not in known:
        raise SettingsError(
            f"{name} ({settings.origin(name)}) names {scheme}://, which no installed adapter knows",
            hint=f"there are {', '.join(sorted(known))}",
        )
    return _load(known[scheme], name)


def _load(found: EntryPoint, name: str) -> Any:
    try:
        return found.load()
    except ModuleNotFoundError as error:
        extra = found.module.removeprefix("codetether_adapters.").partition(".")[0]
        raise SettingsError(
            f"{name} names {found.name}://, which needs the package {error.name}",
            hint=f"pip install 'codetether-hub[{extra}]'",
        ) from None
