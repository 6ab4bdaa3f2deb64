"""The audit trail in copies of a store: byte for byte, and never into the chains that the new store adds to."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from attrs import frozen

from codetether_core.artifacts import BlobId
from codetether_core.audit import Link, filing_in, record_in
from codetether_core.errors import Invalid, NotFound
from codetether_core.ids import TenantId
from codetether_core.ports import AuditLog, BlobStore
from codetether_core.services.copies import Entry

__all__ = ["TrailCopying"]

_PAGE: Final = 200


@frozen
class TrailCopying:
    """Copies chains out of a store and into another."""

    audit: AuditLog
    blobs: BlobStore

    async def copy(self, tenant: TenantId) -> AsyncGenerator[Entry, None]:
        """The trail as it is now; what was filed away of it with the blobs that have it."""
        for chain in await self.audit.chains(tenant):
            after = chain.start
            while links := await self.audit.read(tenant, chain.name, after=after, limit=_PAGE):
                after = links[-1].number
                for filing in (filing_in(record_in(link.body) or {}) for link in links):
                    if filing is not None:
                        with suppress(NotFound):  # whoever verifies the trail hears of it
                            size = await self.blobs.size(tenant, BlobId(filing.blob))
                            yield Entry("blob", {"id": filing.blob, "size": size})
                records = [[link.number, link.body.decode()] for link in links]
                yield Entry("audit", {"chain": chain.name, "start": chain.start, "records": records})

    async def put(self, tenant: TenantId, data: Mapping[str, Any]) -> None:
        """Take over a stretch of a chain; ``Invalid`` for what cannot be one of another store's."""
        links = [Link(number, body.encode()) for number, body in data["records"]]
        if self.audit.is_own(data["chain"]) or not _is_stretch(links):
            raise Invalid("audit", "has records that are none", hint="take a backup that was not tampered with")
        await self.audit.keep(tenant, data["chain"], data["start"], links)


def _is_stretch(links: Sequence[Link]) -> bool:
    """Whether they can be records of a trail, one after the other."""
    numbers = [link.number for link in links]
    consecutive = bool(links) and numbers == [*range(numbers[0], numbers[0] + len(links))]
    return consecutive and all(record_in(link.body) for link in links)
