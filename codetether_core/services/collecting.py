"""Collecting orphans: blobs that nobody named in the end, or names any more.

A blob goes when it was not put for a day and nothing names it. Whoever is going to name one puts it first, which renews
its time, and names it within the day; so a blob that is old and named has been named for long. A batch of old blobs is
listed first and held against all names after that, which therefore has every name that counts; and each is dropped only
as it was listed. Hence nothing that is named goes

- while it is uploaded: its time is not before the last byte came;
- when it is named between the look at the names and the drop: it was put again for that, and is not as it was listed.
  An object store cannot compare and delete at once: there the same bytes have to come again, after more than a day
  without a name, between two requests that follow one another;
- when several replicas collect: what one has dropped, the other finds gone;
- during a restore: a store that is not whole collects nothing, and the restore puts what it names;
- because a clock is wrong: the blobs' own clock is asked for both times, the present one by putting a mark. Only if
  that one leaps by a day between a put and the name is anything lost;
- because the blobs are another store's: each store leaves a mark of its own, and while there is one of another from
  the last ninety days nothing is collected. A copy of a store cannot be told from it, and must have blobs of its own.

What somebody erased goes sooner: see ``Clearing``.

Who has read a name and opens the blob after somebody took the name away may find nothing, as with any file.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Final

from attrs import define, field

from codetether_core.artifacts import BlobDamaged, BlobId, KeptBlob
from codetether_core.audit import SYSTEM_ACTOR, Outcome
from codetether_core.errors import NotConfigured, NotFound, Undecipherable
from codetether_core.ids import TenantId
from codetether_core.ports import BlobStore, Clock
from codetether_core.services.blob_marks import BlobMarks
from codetether_core.services.recording import Recording
from codetether_core.services.references import References
from codetether_core.services.tenants import tenants_of

__all__ = ["COLLECTED", "Collected", "Collecting"]

COLLECTED: Final = "blobs.collected"
"""The action of the record that says how many went."""

_GRACE: Final = timedelta(days=1)
_LOOK_EVERY: Final = timedelta(hours=1)
_COLLECT_EVERY: Final = timedelta(days=1)
_PAGE: Final = 1000


@define
class Collected:
    """What was last done here: when, and how many blobs went; of how many tenants nobody knows what is named."""

    at: datetime | None = None
    blobs: int = 0
    failed: int = 0


@define(eq=False)
class Collecting:
    """Collects once a day, whichever replica comes first. ``batch`` blobs are held in memory at a time, some 60 MB; for
    each such batch all that names blobs is gone through.
    """

    marks: BlobMarks
    references: References
    recording: Recording
    clock: Clock
    batch: int = 200_000
    last: Collected = field(factory=Collected, init=False)
    _look_at: datetime | None = field(default=None, init=False)
    _unfinished: bool = field(default=False, init=False)

    async def run(self) -> None:
        """Collect whenever it is time to, until cancelled. What fails is tried again later, whoever calls again."""
        while True:
            if self._look_at is not None:
                await self.clock.sleep(self._look_at - self.clock.now())
            self._look_at = self.clock.now() + _LOOK_EVERY
            if self._unfinished or await self._is_time():
                await self.collect()

    async def collect(self) -> Collected:
        """Do it now. ``Conflict`` if the blobs may be another store's."""
        done = Collected(at=self.clock.now())
        if await self.marks.kept.backend.is_whole():
            before = await self.marks.leave() - _GRACE
            self._unfinished = True
            for tenant in await tenants_of(self.marks.kept.backend.audit):
                try:
                    collected = await self._collect(tenant, before)
                except (BlobDamaged, NotConfigured, NotFound, Undecipherable) as error:
                    done.failed += 1
                    await self._record(tenant, Outcome.FAILURE, {**error.details, "error": error.code})
                else:
                    done.blobs += collected
                    if collected:
                        await self._record(tenant, Outcome.SUCCESS, {"count": collected})
        self._unfinished, self.last = False, done
        return done

    @property
    def blobs(self) -> BlobStore:
        """As they are kept."""
        return self.marks.kept.blobs

    async def _collect(self, tenant: TenantId, before: datetime) -> int:
        collected, after = 0, None
        while True:
            old, after = await self._old(tenant, before, after)
            if old:
                async with aclosing(self.references.of(tenant)) as named:
                    async for id in named:
                        old.pop(id, None)
            for blob in old.values():
                collected += await self.blobs.drop(tenant, blob)
            if after is None:
                return collected

    async def _old(
        self, tenant: TenantId, before: datetime, after: BlobId | None
    ) -> tuple[dict[BlobId, KeptBlob], BlobId | None]:
        """A batch of those that were last put before that moment, and where to go on, if anywhere."""
        found: dict[BlobId, KeptBlob] = {}
        while page := await self.blobs.list(tenant, after=after, limit=_PAGE):
            after = page[-1].id
            found |= {blob.id: blob for blob in page if blob.put_at < before}
            if len(found) >= self.batch:
                return found, after
        return found, None

    async def _is_time(self) -> bool:
        """Whether no replica has left the mark within a day. A clock that is wrong makes it early or late, no more."""
        left, now = await self.marks.left_at(), self.clock.now()
        return left is None or not now - _COLLECT_EVERY < left <= now

    async def _record(self, tenant: TenantId, outcome: Outcome, told: Mapping[str, str | int]) -> None:
        await self.recording.record(tenant, SYSTEM_ACTOR, COLLECTED, "blobs", outcome, told)
