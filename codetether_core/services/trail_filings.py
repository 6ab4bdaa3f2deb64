"""Which parts of the trail went into which blobs.

The record that says so is filed away itself in the end, into the blob of a later filing: so filings are looked for in
the trail, and in the blobs of those that are found. What was found once is remembered, for neither ever changes.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

from attrs import define, field

from codetether_core.artifacts import BlobId, is_blob_id
from codetether_core.audit import FILED, Filing, filing_in, record_in
from codetether_core.ids import TenantId
from codetether_core.ports import AuditLog, BlobStore
from codetether_core.services.log_lines import decompressed

__all__ = ["TrailFilings", "filing_of"]

_PAGE: Final = 200
_MARK: Final = json.dumps(FILED).encode()


@define
class _Read:
    """Filings of a chain up to that number."""

    through: int = 0
    filings: list[Filing] = field(factory=list)


@define(eq=False)
class TrailFilings:
    """Finds them; remembers a few words of each."""

    trail: AuditLog
    blobs: BlobStore
    _chains: dict[tuple[TenantId, str], _Read] = field(factory=dict, init=False)
    _within: dict[tuple[TenantId, str], list[Filing]] = field(factory=dict, init=False)

    async def of(self, tenant: TenantId) -> AsyncGenerator[Filing, None]:
        """All of them.

        ``NotFound``, ``BlobDamaged`` or ``Undecipherable`` where a blob cannot be read that may tell of more.
        """
        for chain in await self.trail.chains(tenant):
            read = self._chains.setdefault((tenant, chain.name), _Read())
            while links := await self.trail.read(tenant, chain.name, after=read.through, limit=_PAGE):
                found = [filing_of(link.body) for link in links]
                read.filings += [filing for filing in found if filing is not None]
                read.through = links[-1].number
            for filing in [*read.filings]:
                async for each in self.below(tenant, filing):
                    yield each

    async def below(self, tenant: TenantId, filing: Filing) -> AsyncGenerator[Filing, None]:
        """This one, and those whose records went into its blob or into one of theirs. Raises as ``of`` does."""
        waiting = [filing]
        while waiting:
            found = waiting.pop()
            yield found
            waiting += await self._told_in(tenant, found.blob)

    async def _told_in(self, tenant: TenantId, blob: str) -> list[Filing]:
        known = self._within.get((tenant, blob))
        if known is not None:
            return known
        told: list[Filing] = []
        async with self.blobs.open(tenant, BlobId(blob)) as chunks, aclosing(decompressed(chunks)) as lines:
            async for line in lines:
                if (filing := filing_of(line)) is not None:
                    told.append(filing)
        self._within[tenant, blob] = told
        return told


def filing_of(record: bytes) -> Filing | None:
    """The filing that a record tells of, if it does; what cannot be a blob's address is none."""
    found = filing_in(record_in(record) or {}) if _MARK in record else None
    return found if found is not None and is_blob_id(found.blob) else None
