"""The audit trail in SQLite."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from codetether_adapters.sqlite.reader import Reader
from codetether_adapters.sqlite.transaction import Transaction
from codetether_adapters.sqlite.writer import Writer
from codetether_adapters.tail import encoded
from codetether_core.audit import Chain, Link
from codetether_core.events import Event
from codetether_core.ids import TenantId

__all__ = ["SqliteAudit"]

_CHAINS: Final = "SELECT tenant, chain, start, last FROM audit_chains WHERE ?1 IS NULL OR tenant = ?1 ORDER BY 1, 2"
_READ: Final = "SELECT number, body FROM audit WHERE tenant = ? AND chain = ? AND number > ? ORDER BY number LIMIT ?"
_LATEST: Final = (
    "SELECT number, body FROM audit WHERE tenant = ? AND chain = ? AND number < ? ORDER BY number DESC LIMIT ?"
)
_ALL: Final = 2**63 - 1
_TAKE_OVER: Final = (
    "INSERT INTO audit_chains VALUES (?, ?, ?, ?) ON CONFLICT (tenant, chain) DO UPDATE SET last = excluded.last"
)
_FORGET: Final = "DELETE FROM audit WHERE tenant = ? AND chain = ? AND number <= ?"
_BEGIN_AT: Final = "UPDATE audit_chains SET start = max(start, min(last, ?)) WHERE tenant = ? AND chain = ?"


class SqliteAudit:
    """All chains of one file (an ``AuditLog``), of which those called ``own`` are added to."""

    def __init__(self, writer: Writer, reader: Reader, own: str) -> None:
        self._writer = writer
        self._reader = reader
        self._own = own

    async def append(self, events: Sequence[Event], *, chain: str = "") -> None:
        """At the end of the only chain there is to add to."""
        entries = encoded(events)
        await self._writer.write(lambda transaction: transaction.append(entries))

    async def chains(self, tenant: TenantId | None = None) -> Sequence[Chain]:
        """By primary key."""
        return [
            Chain(tenant=owner, name=name, start=start, last=last, own=self.is_own(name))
            for owner, name, start, last in self._reader.rows(_CHAINS, tenant)
        ]

    async def read(self, tenant: TenantId, chain: str, *, after: int = 0, limit: int) -> Sequence[Link]:
        """A stretch of the primary key."""
        values = (tenant, chain, after, limit)
        return await self._reader.scan(
            lambda connection: [Link(number, body) for number, body in connection.execute(_READ, values)]
        )

    async def latest(self, tenant: TenantId, chain: str, *, before: int | None = None, limit: int) -> Sequence[Link]:
        """The same from the other end."""
        values = (tenant, chain, _ALL if before is None else before, limit)
        return await self._reader.scan(
            lambda connection: [Link(number, body) for number, body in connection.execute(_LATEST, values)]
        )

    def is_own(self, chain: str) -> bool:
        """There is one."""
        return chain == self._own

    async def keep(self, tenant: TenantId, chain: str, start: int, links: Sequence[Link]) -> None:
        """As they are."""
        last = max((link.number for link in links), default=start)
        rows = [(tenant, chain, link.number, link.body) for link in links]

        def take_over(transaction: Transaction) -> None:
            transaction.execute(_TAKE_OVER, (tenant, chain, start, last))
            transaction.executemany("INSERT INTO audit VALUES (?, ?, ?, ?)", rows)

        await self._writer.write(take_over)

    async def trim(self, tenant: TenantId, chain: str, through: int) -> int:
        """Delete the beginning of a chain."""

        def forget(transaction: Transaction) -> int:
            transaction.execute(_BEGIN_AT, (through, tenant, chain))
            return transaction.execute(_FORGET, (tenant, chain, through)).rowcount

        return await self._writer.write(forget)
