"""The audit trail, as answered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import frozen

__all__ = ["AuditEvents", "AuditHeads"]


@frozen(kw_only=True)
class AuditEvent:
    """What was done, and how it ended: ``success``, ``failure`` or ``denied``."""

    id: str
    timestamp: datetime
    actor: str
    action: str
    resource: str
    outcome: str
    metadata: Mapping[str, Any]
    ip: str
    session_id: str
    tenant: str


@frozen(kw_only=True)
class AuditEvents:
    """The latest first; with a ``cursor`` there may be more."""

    events: tuple[AuditEvent, ...]
    cursor: str | None


@frozen(kw_only=True)
class AuditHead:
    """How far a chain goes. Records up to ``start`` were filed away; one that has ``ended`` is not sealed any more."""

    chain: str
    start: int
    number: int
    hash: str
    ended: bool


@frozen(kw_only=True)
class AuditHeads:
    """``key`` is the public Ed25519 key that checkpoints are signed with, in hexadecimal; empty if there is none."""

    tenant: str
    key: str
    chains: tuple[AuditHead, ...]
