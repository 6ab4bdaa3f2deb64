"""A mistake in the settings: which one, where it was made, and what would be right."""

from __future__ import annotations

from codetether_core.errors import CodeTetherError

__all__ = ["SettingsError"]


class SettingsError(CodeTetherError):
    """Something is set that cannot be. The sentence names the setting and its origin, never a secret's value."""

    code = "settings"
