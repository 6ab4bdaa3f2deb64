"""Principals, roles and the pure default policy."""

from codetether_core.access.principal import DEFAULT_TENANT, SYSTEM, Principal
from codetether_core.access.roles import PUBLIC, ROLES, allows, owns

__all__ = ["DEFAULT_TENANT", "PUBLIC", "ROLES", "SYSTEM", "Principal", "allows", "owns"]
