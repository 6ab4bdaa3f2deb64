"""Commands that open the store themselves, with no server between."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from attrs import evolve

from codetether_apps.settings import Settings, read_settings
from codetether_apps.wiring.secret_sources import SERVERS, with_secrets
from codetether_core.errors import CodeTetherError, Unavailable

__all__ = ["StoreUnusable", "own_store"]


class StoreUnusable(CodeTetherError):
    """The store cannot be used; no server is to blame for it."""

    code = "store_unusable"


@contextmanager
def own_store(store: str | None = None) -> Iterator[Settings]:
    """The settings, with the store at ``store`` if that is given, whose login then does everything. What goes wrong is
    said once, as an error.
    """
    settings = read_settings({"storage.store": store} if store else {})
    if store:
        settings = evolve(settings, storage=evolve(settings.storage, store_keeper=None))
    settings = with_secrets(settings, SERVERS)
    logger = logging.getLogger("codetether_adapters")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield settings
    except Unavailable as error:
        raise StoreUnusable(error.message, hint=error.hint) from error
    finally:
        logger.setLevel(level)
