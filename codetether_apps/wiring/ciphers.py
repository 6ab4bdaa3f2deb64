"""The installation's keys that data keys are encrypted under."""

from __future__ import annotations

from codetether_adapters.ciphers import Aes, derived_key
from codetether_apps.settings import Settings
from codetether_core.ports import Cipher

__all__ = ["cipher_of"]


def cipher_of(settings: Settings, secret: bytes | None) -> Cipher | None:
    """Those of the settings, then the one that is made of the installation's secret: what was under it before there
    were others can still be read. ``None`` if there is none.
    """
    keys = [(each.id, each.key) for each in settings.encryption.keys]
    if secret is not None:
        keys.append(derived_key(secret))
    return Aes(keys) if keys else None
