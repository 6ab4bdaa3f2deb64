"""Approvals in Redis; the task store swaps them with their task, in the task's shard."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Final

from codetether_adapters.redis.documents import ABSENT, Document, Place, Sweep
from codetether_adapters.redis.encoding import MOMENT_BYTES, decoded, document, sortable
from codetether_adapters.redis.keys import framed
from codetether_adapters.redis.merging import merged
from codetether_adapters.redis.reader import Reader, Row
from codetether_adapters.redis.signposts import Signposts
from codetether_core.approvals import Approval, ApprovalState
from codetether_core.errors import NotFound
from codetether_core.ids import ApprovalId, TaskId, TenantId
from codetether_core.ports import ApprovalChange

__all__ = ["RedisApprovals", "approval_document", "approvals_of"]

_PAGE: Final = 200


def approval_document(change: ApprovalChange) -> Document:
    """The approval as it shall be, if it is still as it was."""
    new = change.new
    member = f"{sortable(new.created_at)}{new.id}"
    indexes = (_index(new.tenant), _index(new.tenant, new.state), _index(new.tenant, task=new.task))
    places: list[Place] = [(index, member, "", "") for index in indexes]
    return Document(
        key=f"{_documents(new.tenant)}{new.id}",
        expected=ABSENT if change.old is None else str(change.old.version),
        version=str(new.version),
        fields={"body": document(new)},
        places=places,
    )


def approvals_of(tenant: TenantId, task: TaskId) -> Sweep:
    """All of a task's."""
    return Sweep(_index(tenant, task=task), MOMENT_BYTES, _documents(tenant))


class RedisApprovals:
    """All approvals of one store (an ``ApprovalStore``)."""

    def __init__(self, reader: Reader, signposts: Signposts) -> None:
        self._reader = reader
        self._signposts = signposts

    async def get(self, tenant: TenantId, id: ApprovalId) -> Approval:
        """Where its id says; one that does not end in its codebase's room may be anywhere."""
        layout, key = self._reader.layout, f"{_documents(tenant)}{id}"
        (body,) = await self._reader.fields(layout.of_id(id), key, "body")
        if body is None and layout.shards > 1:
            everywhere = await asyncio.gather(*(self._reader.fields(shard, key, "body") for shard in layout.every))
            body = next((found for (found,) in everywhere if found is not None), None)
        if body is None:
            raise NotFound("approval", id)
        return decoded(Approval, body)

    async def list(
        self,
        tenant: TenantId,
        *,
        task: TaskId | None = None,
        state: ApprovalState | None = None,
        limit: int = 100,
    ) -> Sequence[Approval]:
        """By the index that fits; a task has few, so those of one state are picked from them."""
        if task is not None:
            shard = await self._signposts.follow(task)
            found = await self._page((shard,), tenant, _index(tenant, task=task), limit if state is None else _PAGE)
            return [approval for approval in found if state in (None, approval.state)][:limit]
        index = _index(tenant, state)
        return await self._page(self._reader.layout.every, tenant, index, limit)

    async def _page(self, shards: Iterable[int], tenant: TenantId, index: str, limit: int) -> Sequence[Approval]:
        async def page(shard: int, offset: int, limit: int) -> tuple[int, list[Row]]:
            return await self._reader.page(
                shard,
                [index],
                _documents(tenant),
                ("body",),
                offset=offset,
                limit=limit,
                rank=MOMENT_BYTES,
                backwards=True,
            )

        _, rows = await merged(shards, page, offset=0, limit=limit, backwards=True)
        return [decoded(Approval, body) for _, body in rows if body is not None]


def _documents(tenant: TenantId) -> str:
    return f"a:{framed(tenant)}"


def _index(tenant: TenantId, state: ApprovalState | None = None, *, task: TaskId | None = None) -> str:
    if task is not None:
        return f"approvals-of:{framed(tenant, task)}"
    return f"approvals:{state or ''}:{framed(tenant)}"
