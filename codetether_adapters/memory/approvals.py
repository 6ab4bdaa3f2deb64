"""Approvals in memory."""

from __future__ import annotations

from collections.abc import Sequence

from codetether_core.approvals import Approval, ApprovalState
from codetether_core.errors import NotFound, VersionConflict
from codetether_core.ids import ApprovalId, TaskId, TenantId
from codetether_core.ports import ApprovalChange

__all__ = ["MemoryApprovals"]


class MemoryApprovals:
    """All approvals (an ``ApprovalStore``); the task store writes them with ``swap``."""

    def __init__(self) -> None:
        self._approvals: dict[tuple[TenantId, ApprovalId], Approval] = {}
        self._of_tasks: dict[tuple[TenantId, TaskId], dict[ApprovalId, Approval]] = {}

    def swap(self, changes: Sequence[ApprovalChange]) -> None:
        """Write all of them, or none and ``VersionConflict``."""
        for change in changes:
            present = self._approvals.get((change.new.tenant, change.new.id))
            if (present and present.version) != (change.old and change.old.version):
                raise VersionConflict("The approval was changed meanwhile", id=change.new.id)
        for change in changes:
            new = change.new
            self._approvals[new.tenant, new.id] = new
            self._of_tasks.setdefault((new.tenant, new.task), {})[new.id] = new

    def forget(self, tenant: TenantId, task: TaskId) -> None:
        """Those of a task."""
        for id in self._of_tasks.pop((tenant, task), {}):
            del self._approvals[tenant, id]

    async def get(self, tenant: TenantId, id: ApprovalId) -> Approval:
        """Look it up."""
        approval = self._approvals.get((tenant, id))
        if approval is None:
            raise NotFound("approval", id)
        return approval

    async def list(
        self,
        tenant: TenantId,
        *,
        task: TaskId | None = None,
        state: ApprovalState | None = None,
        limit: int = 100,
    ) -> Sequence[Approval]:
        """Look at all of them, or of the task's."""
        known = self._approvals.values() if task is None else self._of_tasks.get((tenant, task), {}).values()
        found = [approval for approval in known if approval.tenant == tenant and state in (None, approval.state)]
        found.sort(key=lambda approval: (approval.created_at, approval.id), reverse=True)
        return found[:limit]
