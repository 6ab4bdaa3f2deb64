"""One write: a single statement that compares and swaps, and what its answer means."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from attrs import frozen

from codetether_adapters.postgres.connection import Row
from codetether_adapters.tail import Entry
from codetether_core.errors import CodeTetherError
from codetether_core.events import Topic
from codetether_core.ids import TenantId

__all__ = ["NOTHING", "Operation", "if_written"]

NOTHING: Final = "SELECT"
"""The statement of an operation that only appends."""


@frozen(kw_only=True)
class Operation:
    """``sql`` either does all of what it says or changes nothing, and answers one row; ``settle`` reads that.

    ``tenant`` is the one whose rows it works on, or ``None`` if those are everybody's or nobody's, and the keeper's to
    change; its events may be of any.
    ``settle`` returns the events to append in the same transaction, or raises what refuses the operation. ``wake`` is
    told besides the events' topics once it is committed. ``row`` names the row that is locked: operations that share
    a transaction lock theirs in this order, so that no two transactions wait for each other. ``taken`` is raised when
    a value must be unique and is not. A ``quiet`` one tells nobody, and need not wait for its place in the log.
    """

    tenant: TenantId | None
    sql: str = NOTHING
    values: Sequence[Any] = ()
    settle: Callable[[Row], Sequence[Entry]]
    wake: Sequence[Topic] = ()
    row: str = ""
    taken: CodeTetherError | None = None
    quiet: bool = False


def if_written(entries: Sequence[Entry], refusal: CodeTetherError) -> Callable[[Row], Sequence[Entry]]:
    """How most operations settle: a row came back, so it was written; else it is refused."""

    def settle(row: Row) -> Sequence[Entry]:
        if not row:
            raise refusal
        return entries

    return settle
