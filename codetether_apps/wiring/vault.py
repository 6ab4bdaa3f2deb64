"""The vault that the settings name, and how we sign in there."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

from codetether_adapters.vault import AppRole, GivenToken, Kubernetes, Login, VaultSecrets, open_vault
from codetether_apps.settings import Settings, SettingsError

__all__ = ["open_the_vault"]


@asynccontextmanager
async def open_the_vault(settings: Settings) -> AsyncIterator[VaultSecrets]:
    """The vault, which is not asked anything yet; ``SettingsError`` if they do not say where it is and who we are."""
    vault = settings.vault
    if vault.addr is None:
        raise SettingsError(
            "Secrets are kept in a vault, and no setting says where that is", hint="set CODETETHER_VAULT_ADDR"
        )
    parts = urlsplit(vault.addr)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise SettingsError(
            f"vault.addr ({settings.origin('vault.addr')}) must be http:// or https:// and a host, without a user"
        )
    async with open_vault(vault.addr, _login(settings), namespace=vault.namespace, verify=_trusted(settings)) as source:
        yield source


def _login(settings: Settings) -> Login:
    """A role of ours goes before a token, which may be in the environment for another program."""
    vault = settings.vault
    if vault.role_id and vault.kubernetes_role:
        raise SettingsError("vault.role_id and vault.kubernetes_role are both set", hint="unset one of them")
    if vault.role_id:
        return AppRole(vault.role_id, vault.secret_id, vault.approle_mount)
    if vault.kubernetes_role:
        return Kubernetes(vault.kubernetes_role, vault.kubernetes_token, vault.kubernetes_mount)
    if vault.token:
        return GivenToken(vault.token)
    raise SettingsError(
        f"vault.addr ({settings.origin('vault.addr')}) names a vault, and nothing says how to sign in there",
        hint="set CODETETHER_VAULT_ROLE_ID and CODETETHER_VAULT_SECRET_ID, CODETETHER_VAULT_KUBERNETES_ROLE,"
        " or CODETETHER_VAULT_TOKEN",
    )


def _trusted(settings: Settings) -> ssl.SSLContext | bool:
    path = settings.vault.ca
    if path is None:
        return True
    try:
        return ssl.create_default_context(cafile=path)
    except OSError as error:
        raise SettingsError(
            f"vault.ca ({settings.origin('vault.ca')}) names {path}, which has no certificates to be read: "
            f"{error.strerror or error}"
        ) from None
