"""Events: what happened, once. Records: the same, as the log keeps them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import field, frozen

from codetether_core.events.cursor import Cursor
from codetether_core.events.topic import Topic
from codetether_core.ids import TaskId, TenantId

__all__ = ["Event", "Guard", "HeadSwap", "OutputHead", "Page", "Record"]


@frozen
class Event:
    """Something that happened, before it has its place in the log.

    ``kind`` is a dotted name (``task.output``); ``data`` holds JSON values only.
    """

    topic: Topic
    kind: str
    at: datetime
    data: Mapping[str, Any]


@frozen(eq=False)
class Record:
    """An event in the log: ``position`` orders the log, ``number`` counts its subject's events from 1 without gaps.

    ``body`` is ``data`` as UTF-8 JSON without newlines, encoded once when it was appended; every reader of this
    process is handed the same object, and ``frames`` lets a dialect keep its rendering of it beside it.
    """

    position: int
    number: int
    topic: Topic
    kind: str
    at: datetime
    body: bytes
    frames: dict[str, bytes] = field(factory=dict, repr=False)


@frozen
class Page:
    """A bounded run of records in log order; ``cursor`` is where the next begins, ``more`` that there is one now."""

    records: tuple[Record, ...]
    cursor: Cursor
    more: bool = False


@frozen
class OutputHead:
    """How far a task's output has come, under which grant: ``following`` is the ordinal of the next piece.

    ``held`` is what was held back of the pieces before, in a form that only its writer reads.
    """

    grant: str = ""
    following: int = 0
    held: str = ""


@frozen
class HeadSwap:
    """The head of a task's output as it must be, and as it is from then on."""

    old: OutputHead
    new: OutputHead


@frozen
class Guard:
    """A condition of an append, checked in its transaction: the ``fence`` of the tenant's ``task`` still reads so.

    ``first`` is the ordinal, counted from 0 within the grant, of the first event of the batch: what the log already
    has of this grant is left out, so a batch that is sent again changes nothing. ``None`` leaves nothing out.
    In its place there may be a ``swap`` of the head of the output; nothing is left out then. Without a swap nothing
    may be held back.
    """

    tenant: TenantId
    task: TaskId
    fence: str
    first: int | None = None
    swap: HeadSwap | None = None

    @property
    def grant(self) -> str:
        """What the ordinals count in: the fence's grant, whether or not a cancel overtook it."""
        return self.fence.partition("/")[0]
