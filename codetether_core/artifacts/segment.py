"""A stretch of a task's log that has left the one log, being too old for it."""

from __future__ import annotations

from attrs import frozen

from codetether_core.artifacts.blobs import BlobId

__all__ = ["LogSegment"]


@frozen(kw_only=True)
class LogSegment:
    """A task's events from the number ``first`` to ``last`` in a blob; ``outputs`` of them are output."""

    first: int
    last: int
    outputs: int
    blob: BlobId
