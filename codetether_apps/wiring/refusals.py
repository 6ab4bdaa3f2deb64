"""What an adapter refuses, told as a matter of the settings: which one names it, and where that was said."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import urlsplit

from codetether_apps.settings import Settings, SettingsError
from codetether_core.errors import Invalid, Unavailable

__all__ = ["KEEPER", "of_no_use", "told_as_settings"]

KEEPER: Final = "storage.store_keeper"


_STORE: Final = ("storage.store", KEEPER)


class _Named(Unavailable):
    """Its setting is named already: what is away is one thing that another one needs."""


@contextmanager
def told_as_settings(settings: Settings, *names: str) -> Iterator[None]:
    """``Invalid`` becomes a ``SettingsError``; ``Unavailable`` gets to know which settings name what is away: of these,
    or those of the store, the ones that were set.
    """
    try:
        yield
    except Invalid as error:
        wrong = f"storage.{error.field}"
        raise SettingsError(f"{wrong} ({settings.origin(wrong)}) {error.problem}", hint=error.hint) from None
    except _Named:
        raise
    except Unavailable as error:
        named = [name for name in names or _STORE if name in settings.origins] or ["storage.data_dir"]
        where = "; ".join(
            f"{name}, from {settings.origin(name)}" if name in settings.origins else f"{name}, its default"
            for name in named
        )
        raise _Named(error.message, hint=f"{error.hint} ({where})".lstrip()) from error


def of_no_use(settings: Settings, name: str, store: str) -> SettingsError:
    """The complaint about a setting that a store of this kind can do nothing with."""
    return SettingsError(
        f"{name} ({settings.origin(name)}) is of no use to a {urlsplit(store).scheme}:// store",
        hint="unset it, or let storage.store name a postgresql:// database",
    )
