"""What the environment says that nobody will hear."""

from __future__ import annotations

import os

import structlog

from codetether_apps.settings import misspelt_variables

__all__ = ["warn_of_misspelt_variables"]

_log = structlog.get_logger(__name__)


def warn_of_misspelt_variables() -> None:
    """Tell of variables that are probably ours and mean nothing: a setting must not be a default in disguise."""
    if found := misspelt_variables(os.environ):
        _log.warning("unknown_variables", did_you_mean=found)
