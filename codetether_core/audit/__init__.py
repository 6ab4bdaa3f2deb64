"""The audit trail: records of what was done, in chains that show every change."""

from __future__ import annotations

from codetether_core.audit.chain import GENESIS, Chain, Link, digest_of, following
from codetether_core.audit.checkpoint import CHECKPOINT, Checkpoint
from codetether_core.audit.flaws import Flaw, FlawKind, LateSeal
from codetether_core.audit.lines import line_of, link_of
from codetether_core.audit.record import SYSTEM_ACTOR, Act, Actor, AuditRecord, Outcome
from codetether_core.audit.search import AuditQuery
from codetether_core.audit.verification import Verification
from codetether_core.audit.words import FILED, Filing, checkpoint_in, filing_in, record_in

__all__ = [
    "CHECKPOINT",
    "FILED",
    "GENESIS",
    "SYSTEM_ACTOR",
    "Act",
    "Actor",
    "AuditQuery",
    "AuditRecord",
    "Chain",
    "Checkpoint",
    "Filing",
    "Flaw",
    "FlawKind",
    "LateSeal",
    "Link",
    "Outcome",
    "Verification",
    "checkpoint_in",
    "digest_of",
    "filing_in",
    "following",
    "line_of",
    "link_of",
    "record_in",
]
