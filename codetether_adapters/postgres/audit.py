"""The audit trail in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from codetether_adapters.postgres.operation import Operation
from codetether_adapters.postgres.reader import Overseer, Reader
from codetether_adapters.postgres.writer import Writer
from codetether_adapters.tail import encoded
from codetether_core.audit import Chain, Link
from codetether_core.events import Event
from codetether_core.ids import TenantId

__all__ = ["PostgresAudit"]

_CHAINS: Final = "SELECT tenant, chain, start, last FROM audit_chains ORDER BY tenant, chain"
_CHAINS_OF: Final = "SELECT tenant, chain, start, last FROM audit_chains WHERE tenant = %s ORDER BY chain"
_READ: Final = (
    "SELECT number, body FROM audit WHERE tenant = %s AND chain = %s AND number > %s ORDER BY number LIMIT %s"
)
_LATEST: Final = (
    "SELECT number, body FROM audit WHERE tenant = %s AND chain = %s AND number < %s ORDER BY number DESC LIMIT %s"
)
_ALL: Final = 2**63 - 1
_TAKE_OVER: Final = """
WITH link AS (
    SELECT * FROM unnest(%s::bigint[], %s::bytea[]) AS link (number, body)
), chain AS (
    INSERT INTO audit_chains (tenant, chain, start, last) VALUES (%s, %s, %s, %s)
    ON CONFLICT (tenant, chain) DO UPDATE SET last = excluded.last
    RETURNING tenant, chain
)
INSERT INTO audit (tenant, chain, number, body) SELECT tenant, chain, number, body FROM chain, link
RETURNING number
"""
_FORGET: Final = """
WITH chain AS (
    UPDATE audit_chains SET start = greatest(start, least(last, %s)) WHERE tenant = %s AND chain = %s
    RETURNING tenant, chain, start
), gone AS (
    DELETE FROM audit USING chain
    WHERE audit.tenant = chain.tenant AND audit.chain = chain.chain AND number <= chain.start RETURNING number
)
SELECT count(*) FROM gone
"""


class PostgresAudit:
    """All chains of one database (an ``AuditLog``), of which those called ``own`` are added to."""

    def __init__(self, writer: Writer, reader: Reader, overseer: Overseer, own: str) -> None:
        self._writer = writer
        self._reader = reader
        self._overseer = overseer
        self._own = own

    async def append(self, events: Sequence[Event], *, chain: str = "") -> None:
        """At the end of the only chain there is to add to."""
        entries = encoded(events)
        await self._writer.write(Operation(tenant=None, settle=lambda row: entries))

    async def chains(self, tenant: TenantId | None = None) -> Sequence[Chain]:
        """By primary key."""
        if tenant is None:
            found = await self._overseer.rows(_CHAINS)
        else:
            found = await self._reader.rows(tenant, _CHAINS_OF, tenant)
        return [
            Chain(tenant=owner, name=name, start=start, last=last, own=self.is_own(name))
            for owner, name, start, last in found
        ]

    async def read(self, tenant: TenantId, chain: str, *, after: int = 0, limit: int) -> Sequence[Link]:
        """A stretch of the primary key."""
        return [Link(*row) for row in await self._reader.rows(tenant, _READ, tenant, chain, after, limit)]

    async def latest(self, tenant: TenantId, chain: str, *, before: int | None = None, limit: int) -> Sequence[Link]:
        """The same from the other end."""
        end = _ALL if before is None else before
        return [Link(*row) for row in await self._reader.rows(tenant, _LATEST, tenant, chain, end, limit)]

    def is_own(self, chain: str) -> bool:
        """There is one."""
        return chain == self._own

    async def keep(self, tenant: TenantId, chain: str, start: int, links: Sequence[Link]) -> None:
        """As they are."""
        last = max((link.number for link in links), default=start)
        given = [[link.number for link in links], [link.body for link in links]]
        values = [*given, tenant, chain, start, last]
        await self._writer.write(Operation(tenant=tenant, sql=_TAKE_OVER, values=values, settle=lambda row: ()))

    async def trim(self, tenant: TenantId, chain: str, through: int) -> int:
        """Delete the beginning of a chain."""
        forget = Operation(tenant=tenant, sql=_FORGET, values=[through, tenant, chain], settle=lambda row: ())
        row = await self._writer.write(forget)
        return int(row[0])
