"""Principals, their credentials, roles and the pure default policy."""

from codetether_core.access.credential import Credential, CredentialKind, CredentialState, Token, principal_of, revoke
from codetether_core.access.principal import DEFAULT_TENANT, SYSTEM, Principal
from codetether_core.access.roles import PERMISSIONS, PUBLIC, ROLES, allows, owns, require_worker
from codetether_core.access.scopes import covers

__all__ = [
    "DEFAULT_TENANT",
    "PERMISSIONS",
    "PUBLIC",
    "ROLES",
    "SYSTEM",
    "Credential",
    "CredentialKind",
    "CredentialState",
    "Principal",
    "Token",
    "allows",
    "covers",
    "owns",
    "principal_of",
    "require_worker",
    "revoke",
]
