"""Approvals and questions: one object for every way in which an agent asks."""

from codetether_core.approvals.approval import (
    TRANSITIONS,
    Approval,
    ApprovalKind,
    ApprovalState,
    Option,
    answer,
    expire,
    withdraw,
)

__all__ = ["TRANSITIONS", "Approval", "ApprovalKind", "ApprovalState", "Option", "answer", "expire", "withdraw"]
