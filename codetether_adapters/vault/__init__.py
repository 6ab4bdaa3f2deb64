"""Secrets from HashiCorp Vault or OpenBao: signing in, reading its key-value store (version 2), staying signed in."""

from codetether_adapters.vault.logins import AppRole, GivenToken, Kubernetes, Login
from codetether_adapters.vault.source import VaultSecrets, open_vault

__all__ = ["AppRole", "GivenToken", "Kubernetes", "Login", "VaultSecrets", "open_vault"]
