"""Records into the audit trail: one statement for a whole group, with arrays."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from codetether_adapters.tail import Entry

__all__ = ["RECORD", "recorded"]

RECORD: Final = """
WITH given AS (
    SELECT * FROM unnest(%s::text[], %s::bytea[]) WITH ORDINALITY AS given (tenant, body, place)
), chain AS (
    INSERT INTO audit_chains AS known (tenant, chain, last)
    SELECT tenant, %s, count(*) FROM given GROUP BY tenant ORDER BY tenant
    ON CONFLICT (tenant, chain) DO UPDATE SET last = known.last + excluded.last
    RETURNING known.tenant, known.chain, known.last
)
INSERT INTO audit (tenant, chain, number, body)
SELECT tenant, chain, last + 1 - row_number() OVER (PARTITION BY tenant ORDER BY place DESC), body
FROM given JOIN chain USING (tenant)
"""
"""Each record gets its chain's next number."""


def recorded(entries: Sequence[Entry], chain: str) -> Sequence[Any]:
    """The values of ``RECORD``."""
    return [[event.topic.tenant for event, _ in entries], [body for _, body in entries], chain]
