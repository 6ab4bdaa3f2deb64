"""How commands and workers speak TLS to the server."""

from __future__ import annotations

import ssl

from codetether_apps.settings.errors import SettingsError
from codetether_apps.settings.sections import Settings
from codetether_core.errors import Invalid

__all__ = ["client_tls"]


def client_tls(settings: Settings, *, certificate: bool = True) -> ssl.SSLContext | None:
    """As the settings say; ``None`` is as with any public server. ``SettingsError`` where a file is wrong.

    Without ``certificate`` none is shown, even where there is one.
    """
    client = settings.client
    cert, key = (client.client_cert, client.client_key) if certificate else (None, None)
    if not client.server.startswith("https:") or not any((client.ca, cert, key)):
        return None
    from codetether_adapters.client import tls_with

    try:
        return tls_with(ca=client.ca, cert=cert, key=key)
    except Invalid as error:
        name = f"client.{error.field}"
        raise SettingsError(f"{name} ({settings.origin(name)}) {error.problem}", hint=error.hint) from None
