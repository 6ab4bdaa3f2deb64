"""Questions about the log, as SQL that walks a topic's index."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

from codetether_adapters.postgres.connection import Row
from codetether_adapters.postgres.encoding import moment
from codetether_core.events import Record, Topic

__all__ = [
    "ADMIT",
    "HEAD",
    "LOST",
    "NEWS",
    "START",
    "STATE",
    "SWAP",
    "TRIM",
    "backwards",
    "condition",
    "counting",
    "forwards",
    "record_of",
    "slicing",
]

_COLUMNS: Final = "position, tenant, scope, subject, number, kind, at, body"

STATE: Final = """
SELECT epoch.value, start.value::bigint, greatest((SELECT max(position) FROM events), start.value::bigint),
    EXISTS (
        SELECT FROM events WHERE tenant = %s AND scope = %s AND subject = %s AND position > %s AND kind = ANY (%s)
    ), seen.number, seen.at
FROM meta epoch CROSS JOIN meta start LEFT JOIN events seen ON seen.position = %s
WHERE epoch.name = 'epoch' AND start.name = 'start'
"""
"""The log's epoch, its two ends, whether a topic was erased after a position, and what there is at one."""

START: Final = "SELECT value::bigint FROM meta WHERE name = 'start'"

LOST: Final = "UPDATE meta SET value = %s WHERE name = 'epoch' AND value = %s RETURNING value"
"""Begin a new epoch, once."""

NEWS: Final = f"SELECT {_COLUMNS} FROM events WHERE position > %s ORDER BY position LIMIT %s"  # noqa: S608

ADMIT: Final = """
WITH held AS (
    SELECT tenant FROM tasks WHERE id = %s AND tenant = %s AND fence = %s
), known AS (
    SELECT greatest(following - %s, 0) AS count, output_heads.held <> '' AS holds
    FROM held JOIN output_heads USING (tenant)
    WHERE task = %s AND "grant" = %s
), advanced AS (
    INSERT INTO output_heads (tenant, task, "grant", following) SELECT tenant, %s, %s, %s FROM held
    WHERE coalesce((SELECT count FROM known), 0) < %s AND NOT EXISTS (SELECT FROM known WHERE holds)
    ON CONFLICT (tenant, task) DO UPDATE SET "grant" = excluded."grant", following = excluded.following, held = ''
)
SELECT EXISTS (SELECT FROM held), coalesce((SELECT count FROM known), 0), EXISTS (SELECT FROM known WHERE holds)
"""
"""Whether the fence reads so, how many of a batch's events the log has, and whether something is held back.

If not, the ordinals are advanced past the batch.
"""

HEAD: Final = 'SELECT "grant", following, held FROM output_heads WHERE tenant = %s AND task = %s'

SWAP: Final = """
WITH held AS (
    SELECT tenant FROM tasks WHERE id = %s AND tenant = %s AND fence = %s
), swapped AS (
    INSERT INTO output_heads AS head (tenant, task, "grant", following, held) SELECT tenant, %s, %s, %s, %s FROM held
    WHERE %s = '' OR EXISTS (SELECT FROM output_heads JOIN held USING (tenant) WHERE task = %s)
    ON CONFLICT (tenant, task) DO UPDATE
    SET "grant" = excluded."grant", following = excluded.following, held = excluded.held
    WHERE (head."grant", head.following, head.held) = (%s, %s, %s)
    RETURNING TRUE
)
SELECT EXISTS (SELECT FROM held), EXISTS (SELECT FROM swapped)
"""
"""Whether the fence reads so, and whether the head of the output did, which reads otherwise from then on."""

TRIM: Final = """
WITH forgotten AS (
    DELETE FROM events
    WHERE position > (SELECT value::bigint FROM meta WHERE name = 'start') AND position <= %s RETURNING position
), begun AS (
    UPDATE meta SET value = (SELECT max(position) FROM forgotten)::text
    WHERE name = 'start' AND EXISTS (SELECT FROM forgotten)
)
SELECT count(*), coalesce(max(position), 0) FROM forgotten
"""
"""How many events went, and the last one's position."""


def condition(topic: Topic, kinds: Collection[str] | None) -> tuple[str, list[Any]]:
    """The SQL of a topic and kinds."""
    given = {"tenant": topic.tenant, "scope": topic.scope, "subject": topic.subject}
    columns: dict[str, Any] = {column: value for column, value in given.items() if value or column == "tenant"}
    where = " AND ".join(f"{column} = %s" for column in columns)
    if kinds is None:
        return where, [*columns.values()]
    return f"{where} AND kind = ANY (%s::text[])", [*columns.values(), [*kinds]]


def forwards(
    topic: Topic, kinds: Collection[str] | None, after: int, until: int, rows: int, size: int
) -> tuple[str, Sequence[Any]]:
    """The next records up to a position: no more than so many, and no more bytes than the last of them goes over."""
    where, values = condition(topic, kinds)
    return _bounded(f"{where} AND position > %s AND position <= %s", "ASC"), [*values, after, until, rows, size]


def backwards(
    topic: Topic, kinds: Collection[str], after: int, before: int, text: str | None, limit: int, size: int
) -> tuple[str, Sequence[Any]]:
    """The last records between two positions, latest first; ``text`` must occur in their bodies."""
    where, values = condition(topic, kinds)
    where, values = f"{where} AND position > %s AND position < %s", [*values, after, before]
    if text is not None:
        # With this collation ``lower`` knows ASCII only, as is wanted.
        where = f"""{where} AND position(%s IN lower(convert_from(body, 'UTF8') COLLATE "C")) > 0"""
        values = [*values, text]
    return _bounded(where, "DESC"), [*values, limit, size]


def counting(topic: Topic, kinds: Collection[str]) -> tuple[str, Sequence[Any]]:
    """How many records there are."""
    where, values = condition(topic, kinds)
    return f"SELECT count(*) FROM events WHERE {where}", values  # noqa: S608


def slicing(topic: Topic, kinds: Collection[str], offset: int, limit: int) -> tuple[str, Sequence[Any]]:
    """Records by their ordinal."""
    where, values = condition(topic, kinds)
    sql = f"SELECT {_COLUMNS} FROM events WHERE {where} ORDER BY position LIMIT %s OFFSET %s"  # noqa: S608
    return sql, [*values, limit, offset]


def record_of(row: Row) -> Record:
    """The record of a row."""
    position, tenant, scope, subject, number, kind, at, body = row
    return Record(position, number, Topic(tenant, scope, subject), kind, moment(at), body)


def _bounded(where: str, order: str) -> str:
    """A walk that stops after so many rows, and after the one that goes over so many bytes."""
    return f"""
SELECT {_COLUMNS} FROM (
    SELECT *, sum(octet_length(body)) OVER (ORDER BY position {order} ROWS UNBOUNDED PRECEDING) AS total
    FROM (SELECT {_COLUMNS} FROM events WHERE {where} ORDER BY position {order} LIMIT %s) AS found
) AS summed WHERE total - octet_length(body) <= %s ORDER BY position {order}
"""  # noqa: S608
