"""Reading a log as the examples do."""

from __future__ import annotations

from collections.abc import Sequence

from codetether_core.events import Cursor, Record, Topic
from codetether_core.ports import Backend

__all__ = ["read_all", "texts"]


def texts(records: Sequence[Record]) -> list[str]:
    """Their bodies."""
    return [record.body.decode() for record in records]


async def read_all(backend: Backend, topic: Topic, after: Cursor, limit: int = 256 * 1024) -> list[Record]:
    """Page by page until there is no more."""
    found: list[Record] = []
    while True:
        page = await backend.log.read(topic, after, limit=limit)
        found += page.records
        assert page.cursor.position >= after.position, "a cursor never goes back"
        after = page.cursor
        if not page.more:
            return found
