"""The audit trail in copies of a store: byte for byte, and never into the chains that the new store adds to."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, suppress
from typing import Any, Final

from attrs import frozen

from codetether_core.artifacts import BlobDamaged, BlobId
from codetether_core.audit import Filing, Link, record_in
from codetether_core.errors import Invalid, NotConfigured, NotFound, Undecipherable
from codetether_core.ids import TenantId
from codetether_core.ports import AuditLog, BlobStore
from codetether_core.services.copies import Entry
from codetether_core.services.references import blobs_of
from codetether_core.services.trail_filings import TrailFilings, filing_of

__all__ = ["TrailCopying"]

_PAGE: Final = 200


@frozen
class TrailCopying:
    """Copies chains out of a store and into another; ``blobs`` are as they are kept."""

    audit: AuditLog
    blobs: BlobStore
    filings: TrailFilings

    async def copy(self, tenant: TenantId) -> AsyncGenerator[Entry, None]:
        """The trail as it is now; what was filed away of it with the blobs that have it."""
        named: set[BlobId] = set()
        for chain in await self.audit.chains(tenant):
            after = chain.start
            while links := await self.audit.read(tenant, chain.name, after=after, limit=_PAGE):
                after = links[-1].number
                for filing in filter(None, (filing_of(link.body) for link in links)):
                    async for id in self._blobs(tenant, filing):
                        if id not in named:
                            named.add(id)
                            yield Entry("blob", {"id": id, "size": await self.blobs.size(tenant, id)})
                records = [[link.number, link.body.decode()] for link in links]
                yield Entry("audit", {"chain": chain.name, "start": chain.start, "records": records})

    async def put(self, tenant: TenantId, data: Mapping[str, Any]) -> None:
        """Take over a stretch of a chain; ``Invalid`` for what cannot be one of another store's."""
        links = [Link(number, body.encode()) for number, body in data["records"]]
        if self.audit.is_own(data["chain"]) or not _is_stretch(links):
            raise Invalid("audit", "has records that are none", hint="take a backup that was not tampered with")
        await self.audit.keep(tenant, data["chain"], data["start"], links)

    async def _blobs(self, tenant: TenantId, filing: Filing) -> AsyncGenerator[BlobId, None]:
        """As far as they are there and can be read: whoever verifies the trail hears of the others."""
        with suppress(BlobDamaged, NotConfigured, NotFound, Undecipherable):
            async with aclosing(self.filings.below(tenant, filing)) as found:
                async for each in found:
                    for id in blobs_of(each):
                        yield id


def _is_stretch(links: Sequence[Link]) -> bool:
    """Whether they can be records of a trail, one after the other."""
    numbers = [link.number for link in links]
    consecutive = bool(links) and numbers == [*range(numbers[0], numbers[0] + len(links))]
    return consecutive and all(record_in(link.body) for link in links)
