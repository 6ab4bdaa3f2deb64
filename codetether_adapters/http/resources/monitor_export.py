"""The monitor's messages as a file, made while it is sent.

Spreadsheets run what looks like a formula, and agents print what they like: a cell that begins like one gets an
apostrophe in front, as OWASP advises (https://owasp.org/www-community/attacks/CSV_Injection), and all are quoted.
"""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Final

from attrs import frozen
from starlette.responses import Response, StreamingResponse

from codetether_adapters.http.call import Call
from codetether_adapters.http.resources import shapes
from codetether_adapters.http.resources.bounds import within
from codetether_adapters.http.resources.monitor import stats_of
from codetether_adapters.http.responses import encode_json
from codetether_adapters.http.routing import Route
from codetether_core.codec import timestamp
from codetether_core.errors import CursorUnknown
from codetether_core.events import Cursor, Topic
from codetether_core.services import MESSAGE_KINDS, MonitorMessage, told

__all__ = ["ROUTES", "cell"]

_MOST: Final = 10_000
_HEADER: Final = ("Timestamp", "Type", "Agent", "Content", "Response Time", "Tokens", "Error")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@frozen
class Export:
    """The last ``limit`` messages, or all that are kept; oldest first."""

    limit: int = _MOST
    all_messages: bool = False


async def export_json(call: Call) -> Response:
    """Messages and figures as one JSON document."""
    source = _messages(call)
    total = await call.services.monitoring.count(call.principal)
    now = call.services.clock.now()
    head = {"export_date": now, "total_in_database": total, "stats": await stats_of(call)}

    async def document() -> AsyncIterator[bytes]:
        yield encode_json(head)[:-1] + b',"messages":['
        count = 0
        async with aclosing(source):
            async for page in source:
                parts = b",".join(map(encode_json, page))
                yield b"," + parts if count and parts else parts
                count += len(page)
        yield b'],"message_count":%d}' % count

    return _file(document(), "application/json", "json", now)


async def export_csv(call: Call) -> Response:
    """Messages as a table."""
    source = _messages(call)

    async def table() -> AsyncIterator[bytes]:
        yield _rows([_HEADER])
        async with aclosing(source):
            async for page in source:
                yield _rows(map(_cells, page))

    return _file(table(), "text/csv; charset=utf-8", "csv", call.services.clock.now())


def cell(value: object) -> str:
    """A value as a cell that no spreadsheet takes for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _messages(call: Call) -> AsyncGenerator[Sequence[MonitorMessage], None]:
    query = call.query(Export)
    limit = within("limit", query.limit, 1, _MOST)
    return _pages(call, None if query.all_messages else limit)


async def _pages(call: Call, limit: int | None) -> AsyncGenerator[Sequence[MonitorMessage], None]:
    """The last ``limit`` or all, page by page, up to what there was when it began."""
    log = call.services.backend.log
    head, more = await log.head(), True
    cursor = await log.start() if limit is None else await _before_the_last(call, limit)
    while more:
        try:
            page = await log.read(Topic(call.principal.tenant), cursor, kinds=MESSAGE_KINDS)
        except CursorUnknown:  # the oldest are being forgotten while we read them
            cursor = await log.start()
            continue
        cursor, more = page.cursor, page.more and page.cursor.position < head.position
        yield [told(record) for record in page.records if record.position <= head.position]


async def _before_the_last(call: Call, limit: int) -> Cursor:
    """Where the last ``limit`` messages begin."""
    log, topic = call.services.backend.log, Topic(call.principal.tenant)
    offset = max(await log.count(topic, MESSAGE_KINDS) - limit, 0)
    first = await log.slice(topic, MESSAGE_KINDS, offset=offset, limit=1)
    start: Cursor = await log.start()
    return Cursor(start.epoch, max(start.position, first[0].position - 1)) if first else start


def _rows(rows: Iterable[Iterable[object]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([cell(value) for value in row] for row in rows)
    return out.getvalue().encode("utf-8", "replace")


def _cells(message: MonitorMessage) -> tuple[object, ...]:
    return (
        timestamp(message.timestamp), message.type, message.agent_name, message.content,
        message.response_time, message.tokens, message.error,
    )  # fmt: skip


def _file(body: AsyncIterator[bytes], media_type: str, ending: str, now: datetime) -> Response:
    name = f"codetether-monitor-{now:%Y%m%dT%H%M%SZ}.{ending}"
    return StreamingResponse(
        body, media_type=media_type, headers={"content-disposition": f'attachment; filename="{name}"'}
    )


_AT: Final = "/v1/monitor/export"
ROUTES: Final = (
    Route(
        "GET",
        f"{_AT}/json",
        export_json,
        "monitor:read",
        summary="Messages as JSON",
        answer=shapes.MonitorExport,
        tag="monitor",
        query=Export,
    ),
    Route(
        "GET",
        f"{_AT}/csv",
        export_csv,
        "monitor:read",
        summary="Messages as CSV",
        answer={"type": "string"},
        media_type="text/csv",
        tag="monitor",
        query=Export,
    ),
)
