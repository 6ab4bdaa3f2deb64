"""Durations as they are given to options: ``30s``, ``12h``, ``90d``."""

from __future__ import annotations

from datetime import timedelta

import click

from codetether_apps.settings import DURATION

__all__ = ["seconds_of"]


def seconds_of(option: str, text: str | None) -> float | None:
    """How many seconds an option's text says, if there is one; ``click.UsageError`` if it is no duration."""
    if text is None:
        return None
    try:
        duration: timedelta = DURATION.read(text)
    except ValueError as error:
        raise click.UsageError(f"{option} must be {error}") from None
    return duration.total_seconds()
