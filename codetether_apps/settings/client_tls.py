"""How commands and workers speak TLS to the server."""

from __future__ import annotations

import ssl

from codetether_apps.settings.errors import SettingsError
from codetether_apps.settings.sections import Settings
from codetether_core.errors import Invalid

__all__ = ["client_tls"]


def client_tls(settings: Settings) -> ssl.SSLContext | None:
    """As the settings say; ``None`` is as with any public server. ``SettingsError`` where a file is wrong."""
    client = settings.client
    files = (client.ca, client.client_cert, client.client_key)
    if not client.server.startswith("https:") or not any(files):
        return None
    from codetether_adapters.client import tls_with

    try:
        return tls_with(ca=client.ca, cert=client.client_cert, key=client.client_key)
    except Invalid as error:
        name = f"client.{error.field}"
        raise SettingsError(f"{name} ({settings.origin(name)}) {error.problem}", hint=error.hint) from None
