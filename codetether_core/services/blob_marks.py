"""Marks that stores leave among the blobs that they look after: whose these are, when they were last looked through,
and what time it is by the blobs' own clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from attrs import frozen

from codetether_core.artifacts import KeptBlob, address_of
from codetether_core.errors import Conflict
from codetether_core.ids import TenantId
from codetether_core.ports import BlobStore
from codetether_core.services.as_kept import AsKept

__all__ = ["BlobMarks"]

_ABANDONED: Final = timedelta(days=90)
"""After a restore, too, the store is another one."""

_ALL: Final = 2**31 - 1

_NOBODY: Final = TenantId("\0")
"""Whose the marks are: no tenant is called so."""

_CLOCK: Final = TenantId("\0clock")
"""Whose the blob is that is put to know the time."""

_TIME: Final = b"This was put to see what time it is.\n"


@frozen
class BlobMarks:
    """Leaves one mark, which is renewed, of each store."""

    kept: AsKept

    @property
    def blobs(self) -> BlobStore:
        """As they are kept."""
        return self.kept.blobs

    async def leave(self) -> datetime:
        """When that was, by the blobs' own clock; ``Conflict`` if they may be another store's.

        Marks of stores that are gone go, too.
        """
        ours = await self.blobs.put(_NOBODY, await self._mark())
        marks = {mark.id: mark for mark in await self.blobs.list(_NOBODY, limit=_ALL)}
        now = marks.pop(ours).put_at
        _check(marks.values(), now)
        for mark in marks.values():
            await self.blobs.drop(_NOBODY, mark)
        return now

    async def left_at(self) -> datetime | None:
        """When ours was last left, if it was."""
        ours = address_of(await self._mark())
        marks = await self.blobs.list(_NOBODY, limit=_ALL)
        return next((mark.put_at for mark in marks if mark.id == ours), None)

    async def now(self) -> datetime:
        """The time by the blobs' own clock; ``Conflict`` if they may be another store's."""
        await self.blobs.put(_CLOCK, _TIME)
        (clock,) = await self.blobs.list(_CLOCK, limit=1)
        ours = address_of(await self._mark())
        _check((mark for mark in await self.blobs.list(_NOBODY, limit=_ALL) if mark.id != ours), clock.put_at)
        return clock.put_at

    async def _mark(self) -> bytes:
        epoch = (await self.kept.backend.log.head()).epoch
        return f"The store {epoch} was looking for blobs that nobody names when this was put.\n".encode()


def _check(others: Iterable[KeptBlob], now: datetime) -> None:
    if any(now - mark.put_at < _ABANDONED for mark in others):
        raise Conflict(
            "Another store has used these blobs within the last ninety days, so that none of them are collected",
            hint="give each store a directory, or a prefix in the bucket, of its own",
        )
