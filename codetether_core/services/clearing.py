"""Clearing away what erased things leave: their blobs, unless something else names them.

They were noted before the thing was erased, and the note stays until they are gone, whoever dies meanwhile. It is good
once the thing itself is gone. A blob may be somebody's else by then: the same bytes are kept once in a tenant. So the
blobs are listed first, then held against all names, and each is dropped only as it was listed, as in ``Collecting``.
What was put within the last five minutes waits: who puts a blob names it at once, or, where something comes in between,
within a minute or not at all (``in_time``). So whatever is named by then is seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing, suppress
from datetime import datetime, timedelta
from typing import Final

from attrs import define, field

from codetether_core.artifacts import BlobDamaged, BlobId, KeptBlob, Leftover, address_before
from codetether_core.errors import NotConfigured, NotFound, Undecipherable, VersionConflict
from codetether_core.ids import TenantId
from codetether_core.ports import Clock
from codetether_core.services.blob_marks import BlobMarks
from codetether_core.services.references import NAMED_WITHIN, References
from codetether_core.services.tenants import tenants_of

__all__ = ["Clearing"]

_EVERY: Final = timedelta(minutes=1)
_SETTLED: Final = 5 * NAMED_WITHIN
_GIVEN_UP: Final = timedelta(hours=1)
"""For so long somebody may be about to erase what is noted."""


@define(eq=False)
class Clearing:
    """Any replica may do it: what one has dropped, the other finds gone."""

    marks: BlobMarks
    references: References
    clock: Clock
    _look_at: datetime | None = field(default=None, init=False)

    async def run(self) -> None:
        """Clear every minute, until cancelled. What fails is tried again later, whoever calls again."""
        while True:
            if self._look_at is not None:
                await self.clock.sleep(self._look_at - self.clock.now())
            self._look_at = self.clock.now() + _EVERY
            await self.clear()

    async def clear(self) -> int:
        """Do it now; how many blobs went. ``Conflict`` if they may be another store's."""
        gone = 0
        backend = self.marks.kept.backend
        if await backend.is_whole():
            for tenant in await tenants_of(backend.audit):
                if left := await self._erased(tenant):
                    # Where not all names can be known, the next collection says so in the trail.
                    with suppress(BlobDamaged, NotConfigured, NotFound, Undecipherable):
                        gone += await self._clear(tenant, left)
        return gone

    async def _erased(self, tenant: TenantId) -> Sequence[Leftover]:
        """The notes on what is gone; one on what stays after all is thrown away."""
        found: list[Leftover] = []
        for each in await self.marks.kept.backend.leftovers.list(tenant):
            if await self._is_gone(each):
                found.append(each)
            elif each.created_at < self.clock.now() - _GIVEN_UP:
                await self._done(each)
        return found

    async def _clear(self, tenant: TenantId, left: Sequence[Leftover]) -> int:
        now = await self.marks.now()
        kept = {blob.id: blob for each in left for id in each.blobs for blob in await self._kept(tenant, id)}
        settled = {id: blob for id, blob in kept.items() if blob.put_at <= now - _SETTLED}
        done = [each for each in left if all(id in settled or id not in kept for id in each.blobs)]
        if not done:
            return 0
        async with aclosing(self.references.of(tenant)) as named:
            async for id in named:
                settled.pop(id, None)
        gone = 0
        for blob in settled.values():
            gone += await self.marks.blobs.drop(tenant, blob)
        for each in done:
            await self._done(each)
        return gone

    async def _is_gone(self, left: Leftover) -> bool:
        backend = self.marks.kept.backend
        try:
            if left.task is not None:
                await backend.tasks.get(left.tenant, left.task)
            elif left.session is not None:
                await backend.sessions.get(left.tenant, left.codebase, left.session)
        except NotFound:
            return True
        return False

    async def _done(self, left: Leftover) -> None:
        with suppress(VersionConflict):  # another replica was faster
            await self.marks.kept.backend.leftovers.remove(left)

    async def _kept(self, tenant: TenantId, id: BlobId) -> Sequence[KeptBlob]:
        """The blob as it is listed, or nothing."""
        page = await self.marks.blobs.list(tenant, after=address_before(id), limit=1)
        return [blob for blob in page if blob.id == id]
