"""What was done, by whom, to what, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from attrs import Factory, define, frozen

from codetether_core.ids import TenantId

__all__ = ["SYSTEM_ACTOR", "Act", "Actor", "AuditRecord", "Outcome"]


class Outcome(StrEnum):
    """How it ended: done, tried and not managed, or not allowed."""

    SUCCESS = "success"
    FAILURE = "failure"
    DENIED = "denied"


@frozen(kw_only=True)
class Actor:
    """Who acts: a principal's name, the address and sign-in it comes from, and the request that it makes."""

    name: str
    ip: str = ""
    session_id: str = ""
    request_id: str = ""


SYSTEM_ACTOR: Final = Actor(name="system")
"""Who acts when time alone brings something about."""


@define(eq=False)
class Act:
    """What somebody is doing just now; ``records`` is how many the trail has of it so far."""

    actor: Actor
    records: int = 0


@frozen(kw_only=True)
class AuditRecord:
    """One line of the trail. ``action`` is the kind of an event (``task.cancelled``) or a permission.

    ``metadata`` has JSON values only, and nothing that was said to or by an agent. ``timestamp`` is the store's time.
    """

    id: str
    timestamp: datetime
    actor: str
    action: str
    resource: str
    outcome: Outcome
    tenant: TenantId
    metadata: Mapping[str, Any] = Factory(dict[str, Any])
    ip: str = ""
    session_id: str = ""
