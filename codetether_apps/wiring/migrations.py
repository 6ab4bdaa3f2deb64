"""Bringing a store's schema up to date ahead of the servers: entry points of the group ``codetether.migrations``."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Final
from urllib.parse import urlsplit

from codetether_adapters.faults import PREFIX, rehearsal
from codetether_apps.settings import Settings
from codetether_apps.wiring.backends import BACKENDS
from codetether_apps.wiring.openers import opener
from codetether_apps.wiring.refusals import told_as_settings
from codetether_core.ports import Migrate, Migrations

__all__ = ["migrate"]

_GROUP: Final = "codetether.migrations"


async def migrate(settings: Settings, *, check: bool) -> Migrations | None:
    """Apply what the store of the settings lacks, or with ``check`` only look; how it stands then.

    ``None`` for a store that has no such steps: it is brought up to date whenever it is opened.
    """
    url = settings.store_url
    with told_as_settings(settings):
        url = rehearsal(url)[0] if url.startswith(PREFIX) else url
    opener(BACKENDS, "storage.store", settings, url)
    if urlsplit(url).scheme not in entry_points(group=_GROUP).names:
        return None
    bring_up_to_date: Migrate = opener(_GROUP, "storage.store", settings, url)
    with told_as_settings(settings):
        return await bring_up_to_date(url, check=check)
