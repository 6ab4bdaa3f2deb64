"""Records into a tenant's audit trail: one statement for a whole group, with an array."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from codetether_adapters.tail import Entry
from codetether_core.ids import TenantId

__all__ = ["RECORD", "recorded"]

RECORD: Final = """
WITH chain AS (
    INSERT INTO audit_chains AS known (tenant, chain, last) VALUES (%s, %s, %s)
    ON CONFLICT (tenant, chain) DO UPDATE SET last = known.last + excluded.last
    RETURNING known.tenant, known.chain, known.last
)
INSERT INTO audit (tenant, chain, number, body)
SELECT tenant, chain, last - %s + place, body
FROM chain, unnest(%s::bytea[]) WITH ORDINALITY AS given (body, place)
"""
"""Each record gets its chain's next number."""


def recorded(tenant: TenantId, chain: str, entries: Sequence[Entry]) -> Sequence[Any]:
    """The values of ``RECORD``."""
    return [tenant, chain, len(entries), len(entries), [body for _, body in entries]]
