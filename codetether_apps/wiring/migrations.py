"""Bringing a store's schema up to date ahead of the servers: entry points of the group ``codetether.migrations``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from importlib.metadata import entry_points
from typing import Final, Protocol, TypeAlias
from urllib.parse import urlsplit

from codetether_apps.settings import Settings
from codetether_apps.wiring.refusals import told_as_settings

__all__ = ["Steps", "migrate"]

_GROUP: Final = "codetether.migrations"


class Steps(Protocol):
    """Versions of a schema's steps: those that a store has, and those that this program has besides."""

    @property
    def applied(self) -> Sequence[int]:
        """What the store has."""
        ...

    @property
    def pending(self) -> Sequence[int]:
        """What it lacks."""
        ...


_Migrate: TypeAlias = Callable[..., Awaitable[Steps]]


async def migrate(settings: Settings, *, check: bool) -> Steps | None:
    """Apply what the store of the settings lacks, or with ``check`` only look; how it stands then.

    ``None`` for a store that has no such steps: it is brought up to date whenever it is opened.
    """
    scheme = urlsplit(settings.store_url).scheme
    known = {found.name: found for found in entry_points(group=_GROUP)}
    if scheme not in known:
        return None
    bring_up_to_date: _Migrate = known[scheme].load()
    with told_as_settings(settings):
        return await bring_up_to_date(settings.store_url, check=check)
