"""Approvals and questions: one object for every way in which an agent asks."""

from codetether_core.approvals.approval import (
    TRANSITIONS,
    Approval,
    ApprovalKind,
    ApprovalState,
    Option,
    OptionKind,
    answer,
    expire,
    withdraw,
)
from codetether_core.approvals.judging import judged

__all__ = [
    "TRANSITIONS",
    "Approval",
    "ApprovalKind",
    "ApprovalState",
    "Option",
    "OptionKind",
    "answer",
    "expire",
    "judged",
    "withdraw",
]
