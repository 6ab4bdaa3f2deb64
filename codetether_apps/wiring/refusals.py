"""What an adapter refuses, told as a matter of the settings: which one names it, and where that was said."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from codetether_apps.settings import Settings, SettingsError
from codetether_core.errors import Invalid, Unavailable

__all__ = ["told_as_settings"]


class _Named(Unavailable):
    """Its setting is named already: what is away is one thing that another one needs."""


@contextmanager
def told_as_settings(settings: Settings, name: str = "storage.store") -> Iterator[None]:
    """``Invalid`` becomes a ``SettingsError``; ``Unavailable`` gets to know the setting that names what is away."""
    try:
        yield
    except Invalid as error:
        wrong = f"storage.{error.field}"
        raise SettingsError(f"{wrong} ({settings.origin(wrong)}) {error.problem}", hint=error.hint) from None
    except _Named:
        raise
    except Unavailable as error:
        named = name if name in settings.origins else "storage.data_dir"
        where = f"{named}, from {settings.origin(named)}" if named in settings.origins else f"{named}, its default"
        raise _Named(error.message, hint=f"{error.hint} ({where})".lstrip()) from error
