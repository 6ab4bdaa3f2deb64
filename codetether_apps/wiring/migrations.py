"""Bringing a store's schema up to date ahead of the servers: entry points of the group ``codetether.migrations``."""

from __future__ import annotations

from functools import partial
from importlib.metadata import entry_points
from inspect import signature
from typing import Final
from urllib.parse import urlsplit

from codetether_adapters.faults import PREFIX, rehearsal
from codetether_apps.settings import Settings
from codetether_apps.wiring.backends import BACKENDS
from codetether_apps.wiring.openers import opener
from codetether_apps.wiring.refusals import KEEPER, of_no_use, told_as_settings
from codetether_core.ports import Migrate, Migrations

__all__ = ["migrate"]

_GROUP: Final = "codetether.migrations"


async def migrate(settings: Settings, *, check: bool) -> Migrations | None:
    """Apply what the store of the settings lacks, or with ``check`` only look; how it stands then.

    ``None`` for a store that has no such steps: it is brought up to date whenever it is opened. ``SettingsError`` where
    there is a keeper and no use for one.
    """
    url, keeper = settings.store_url, settings.storage.store_keeper
    with told_as_settings(settings):
        url = rehearsal(url)[0] if url.startswith(PREFIX) else url
    open_store = opener(BACKENDS, "storage.store", settings, url)
    if keeper is not None and "keeper" not in signature(open_store).parameters:
        raise of_no_use(settings, KEEPER, url)
    if urlsplit(url).scheme not in entry_points(group=_GROUP).names:
        return None
    found = opener(_GROUP, "storage.store", settings, url)
    bring_up_to_date: Migrate = found if keeper is None else partial(found, keeper=keeper)
    with told_as_settings(settings):
        return await bring_up_to_date(url, check=check)
