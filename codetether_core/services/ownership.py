"""Whose something is, and who may act for its owner all the same, as the policy says."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from codetether_core.access import Principal
from codetether_core.errors import PermissionDenied
from codetether_core.ports import Authorizer

__all__ = ["DELETIONS", "KEYS", "KNOWING", "OTHERS", "REGISTRATIONS", "SECRETS", "SENDING", "Ownership", "Reach"]

DELETIONS: Final = "deletions:override"
"""Whoever may do this erases what is anybody's."""

KEYS: Final = "keys:admin"
"""Whoever may do this acts for the owner of any token."""

KNOWING: Final = "secrets:read"
"""Whoever may do this is told which secrets there are, and where they are sent."""

OTHERS: Final = "tasks:others"
"""Whoever may do this sees the tasks of everybody in its tenant where others see their own alone."""

REGISTRATIONS: Final = "registrations:override"
"""Whoever may do this speaks for whatever anybody registered."""

SECRETS: Final = "secrets:use"
"""Whoever may do this is handed what the runs that it holds need."""

SENDING: Final = "secrets:write"
"""Whoever may do this says what a secret is, and who is told it."""


@frozen
class Reach:
    """For whom a principal may act: itself, or ``everybody``."""

    name: str
    everybody: bool

    def covers(self, owner: str) -> bool:
        """Whether it may act for that one."""
        return self.everybody or self.name == owner


@frozen
class Ownership:
    """Asks the policy."""

    authorizer: Authorizer

    async def reach(self, principal: Principal, permission: str) -> Reach:
        """How far the principal reaches with a permission to act for everybody, or without it."""
        try:
            await self.authorizer.authorize(principal, permission)
        except PermissionDenied:
            return Reach(principal.name, everybody=False)
        return Reach(principal.name, everybody=True)
