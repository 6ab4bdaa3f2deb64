"""Approvals, as answered."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import frozen

from codetether_adapters.http.resources.shapes.tasks import Task
from codetether_core.access import ToolUse
from codetether_core.approvals import ApprovalKind, ApprovalState, Option

__all__ = ["Approval", "ApprovalAnswer", "Approvals", "Asked"]


@frozen(kw_only=True)
class Approval:
    """A question of an agent's, and what came of it.

    ``tool`` is what a permission is wanted for, ``asked_by_rule`` the rule of the policy that left it to a human; where
    the policy answered, ``answered_by`` is ``policy:`` and the name of its rule, and ``text`` may say why.
    """

    id: str
    task_id: str
    codebase_id: str
    workspace_id: str
    kind: ApprovalKind
    prompt: str
    options: tuple[Option, ...]
    details: Mapping[str, Any]
    tool: ToolUse | None
    asked_by_rule: str | None
    status: ApprovalState
    created_at: datetime
    deadline: datetime
    held: bool
    choice: str | None
    text: str | None
    answered_by: str | None
    ended_at: datetime | None


@frozen(kw_only=True)
class ApprovalAnswer:
    """It is done, and this is the approval now."""

    success: bool
    approval: Approval


@frozen(kw_only=True)
class Approvals:
    """Approvals, newest first."""

    approvals: tuple[Approval, ...]


@frozen(kw_only=True)
class Asked:
    """The question was put, and the task waits for the answer; or the policy answered, and the run goes on."""

    success: bool
    approval: Approval
    task: Task
