"""The store of blobs that the settings name: entry points of the group ``codetether.blobs``.

An embedded store has its blobs beside it. A shared one has none unless the settings say so, for a directory of one
server would be unknown to the others.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final
from urllib.parse import quote

from codetether_apps.settings import Settings
from codetether_apps.wiring.backends import is_embedded
from codetether_apps.wiring.openers import opener
from codetether_apps.wiring.refusals import told_as_settings
from codetether_core.ports import BlobStore

__all__ = ["blobs_url", "open_blobs"]

_GROUP: Final = "codetether.blobs"
_NAME: Final = "storage.blobs"


def blobs_url(settings: Settings) -> str | None:
    """Where blobs are kept, if anywhere."""
    if settings.storage.blobs is None and is_embedded(settings):
        return f"file://{quote(str(settings.storage.data_dir))}/blobs"
    return settings.storage.blobs


@asynccontextmanager
async def open_blobs(settings: Settings) -> AsyncIterator[BlobStore | None]:
    """The store of blobs; ``SettingsError`` where no adapter knows it, or a package is missing."""
    url = blobs_url(settings)
    async with AsyncExitStack() as stack:
        blobs: BlobStore | None = None
        if url is not None:
            opening = opener(_GROUP, _NAME, settings, url)(url, environment=os.environ)
            with told_as_settings(settings, _NAME):
                blobs = await stack.enter_async_context(opening)
        yield blobs
