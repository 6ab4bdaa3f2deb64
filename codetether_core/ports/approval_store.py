"""Reading approvals; they are written together with their task."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from codetether_core.approvals import Approval, ApprovalState
from codetether_core.ids import ApprovalId, TaskId, TenantId

__all__ = ["ApprovalStore"]


class ApprovalStore(Protocol):
    """The approvals that ``TaskStore.replace`` wrote."""

    async def get(self, tenant: TenantId, id: ApprovalId) -> Approval:
        """One approval; ``NotFound``, also for another tenant's."""
        ...

    async def list(
        self,
        tenant: TenantId,
        *,
        task: TaskId | None = None,
        state: ApprovalState | None = None,
        limit: int = 100,
    ) -> Sequence[Approval]:
        """Approvals, newest first."""
        ...
