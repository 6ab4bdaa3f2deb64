"""Who is known by a client certificate, and where one may be shown: on a port of our own, or to a trusted proxy."""

from __future__ import annotations

from codetether_adapters.certificates import ClientCertificates
from codetether_apps.settings import Settings, SettingsError
from codetether_core.ports import CertificateAuthenticator, Clock

__all__ = ["open_certificates"]


def open_certificates(settings: Settings, clock: Clock) -> CertificateAuthenticator | None:
    """Who is known; ``None`` where nobody is. ``SettingsError`` for what would be of no effect."""
    server, rules = settings.server, settings.auth.client_certificates
    if server.proxy_certificates and not server.trusted_proxies:
        raise _missing(
            settings, "server.proxy_certificates", "server.trusted_proxies, which is empty", "TRUSTED_PROXIES"
        )
    if server.proxy_certificates and not rules:
        raise _missing(
            settings, "server.proxy_certificates", "auth.client_certificates, which is empty", "CLIENT_CERTIFICATES"
        )
    if not rules:
        return None
    if server.mtls_port is None and not server.proxy_certificates:
        where = "a place to show them: server.mtls_port or server.proxy_certificates"
        raise _missing(settings, "auth.client_certificates", where, "MTLS_PORT")
    return ClientCertificates(rules, clock)


def _missing(settings: Settings, given: str, needs: str, variable: str) -> SettingsError:
    return SettingsError(f"{given} ({settings.origin(given)}) needs {needs}", hint=f"set CODETETHER_{variable}")
