"""Noting which blobs are to go with what is erased, for ``Clearing``: before it is, and when one was put too late."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from codetether_core.artifacts import BlobId, Leftover
from codetether_core.ids import CodebaseId, SessionId, TaskId, TenantId, new_id
from codetether_core.ports import Clock, Entropy, RecordStore

__all__ = ["Leaving"]


@frozen
class Leaving:
    """Writes the notes."""

    leftovers: RecordStore[Leftover]
    clock: Clock
    entropy: Entropy

    async def note(
        self,
        tenant: TenantId,
        codebase: CodebaseId,
        blobs: Sequence[BlobId],
        *,
        task: TaskId | None = None,
        session: SessionId | None = None,
    ) -> None:
        """Say which blobs are to go once the task or the session is gone."""
        if blobs:
            now = self.clock.now()
            left = Leftover(
                id=new_id("lft", now, self.entropy.bytes(16)),
                tenant=tenant,
                created_at=now,
                blobs=tuple(dict.fromkeys(blobs)),
                codebase=codebase,
                task=task,
                session=session,
            )
            await self.leftovers.add(left)
