"""What the trail says of itself: where it is sealed, and which of its records were filed away."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from attrs import frozen

from codetether_core.audit.checkpoint import CHECKPOINT, Checkpoint
from codetether_core.audit.members import members

__all__ = ["FILED", "Filing", "checkpoint_in", "filing_in", "record_in"]

FILED: Final = "audit.filed"
"""The action of a record that says which records, up to ``last`` in its metadata, went into which ``blob``."""


@frozen
class Filing:
    """Records ``first`` to ``last`` of a chain went into a blob."""

    chain: str
    first: int
    last: int
    blob: str


def record_in(body: bytes) -> Mapping[str, Any] | None:
    """The members of a record; ``None`` for what none of ours can have been."""
    try:
        record = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return members(record) or None


def checkpoint_in(body: bytes) -> Checkpoint | None:
    """The checkpoint that a record is, if it is one."""
    record = record_in(body) if CHECKPOINT.encode() in body else None
    return Checkpoint.read(record) if record is not None and record.get("action") == CHECKPOINT else None


def filing_in(record: Mapping[str, Any]) -> Filing | None:
    """The filing that a record tells of, if it does."""
    if record.get("action") != FILED:
        return None
    said = members(record.get("metadata"))
    chain, first, last, blob = (said.get(name) for name in ("chain", "first", "last", "blob"))
    if type(first) is not int or type(last) is not int or not isinstance(chain, str) or not isinstance(blob, str):
        return None
    return Filing(chain, first, last, blob)
