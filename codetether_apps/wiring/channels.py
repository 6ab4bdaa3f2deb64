"""The notifier that the settings name beside the store: entry points of the group ``codetether.channels``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from codetether_apps.settings import Settings
from codetether_apps.wiring.openers import opener
from codetether_apps.wiring.refusals import told_as_settings
from codetether_core.ports import Channel, OpenChannel

__all__ = ["NOTIFIER", "channel_opener"]

NOTIFIER: Final = "storage.notifier"

_GROUP: Final = "codetether.channels"


def channel_opener(settings: Settings) -> OpenChannel | None:
    """What opens the channel that the settings name, if they name one; ``SettingsError`` if nothing can."""
    url = settings.storage.notifier
    if url is None:
        return None
    open_there = opener(_GROUP, NOTIFIER, settings, url)

    @asynccontextmanager
    async def open_channel(scope: str) -> AsyncIterator[Channel]:
        async with AsyncExitStack() as stack:
            with told_as_settings(settings, NOTIFIER):
                channel = await stack.enter_async_context(open_there(url, scope))
            yield channel

    return open_channel
