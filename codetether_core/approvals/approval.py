"""Approvals: every way in which an agent asks, as one durable object.

It is *open* until answered, expired or withdrawn, and belongs to the grant under which it was asked: it dies with it.
The first answer wins; the deadline picks an option that refuses, never one that allows.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from attrs import Factory, evolve, frozen

from codetether_core.errors import AlreadyAnswered, IllegalTransition, Invalid
from codetether_core.ids import ApprovalId, CodebaseId, TaskId, TenantId

__all__ = ["TRANSITIONS", "Approval", "ApprovalKind", "ApprovalState", "Option", "answer", "expire", "withdraw"]


class ApprovalKind(StrEnum):
    """What sort of answer is wanted."""

    PERMISSION = "permission"
    QUESTION = "question"
    ELICITATION = "elicitation"
    AUTH = "auth"


class ApprovalState(StrEnum):
    """Where an approval stands."""

    OPEN = "open"
    ANSWERED = "answered"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


TRANSITIONS: Final[Mapping[tuple[ApprovalState, str], ApprovalState]] = MappingProxyType(
    {
        (ApprovalState.OPEN, "answer"): ApprovalState.ANSWERED,
        (ApprovalState.OPEN, "expire"): ApprovalState.EXPIRED,
        (ApprovalState.OPEN, "withdraw"): ApprovalState.WITHDRAWN,
    }
)


@frozen(kw_only=True)
class Option:
    """One choice that is offered; ``allows`` tells a yes from a no."""

    id: str
    label: str
    allows: bool = True


@frozen(kw_only=True)
class Approval:
    """A question to a human (or a policy), its choices, and what came of it.

    Without ``options`` the answer is free text. ``grant`` is the token of the asking grant, ``held`` whether its
    holder goes on holding the task meanwhile.
    """

    id: ApprovalId
    tenant: TenantId
    task: TaskId
    codebase: CodebaseId
    grant: str
    kind: ApprovalKind
    prompt: str
    created_at: datetime
    deadline: datetime
    held: bool = True
    options: tuple[Option, ...] = ()
    details: Mapping[str, Any] = Factory(dict[str, Any])
    state: ApprovalState = ApprovalState.OPEN
    version: int = 1
    choice: str | None = None
    text: str | None = None
    answered_by: str | None = None
    ended_at: datetime | None = None

    @property
    def refusal(self) -> Option | None:
        """The option that a deadline picks."""
        return next((option for option in self.options if not option.allows), None)


def answer(
    approval: Approval, now: datetime, *, by: str, choice: str | None = None, text: str | None = None
) -> Approval:
    """Somebody answers, before the deadline. ``AlreadyAnswered`` names the winner; ``Invalid`` what is not offered."""
    if approval.state is ApprovalState.ANSWERED:
        raise AlreadyAnswered(approval.id, approval.answered_by or "somebody")
    if now >= approval.deadline:
        raise AlreadyAnswered(approval.id, "deadline")
    if approval.options and choice not in {option.id for option in approval.options}:
        offered = ", ".join(option.id for option in approval.options)
        raise Invalid("choice", f"must be one of: {offered}")
    if not approval.options and not text:
        raise Invalid("text", "an answer in words is asked for")
    return _step(approval, "answer", now, choice=choice, text=text, answered_by=by)


def expire(approval: Approval, now: datetime) -> Approval:
    """The deadline passed: the refusing option is taken, if there is one."""
    refusal = approval.refusal
    return _step(approval, "expire", now, choice=refusal.id if refusal else None, answered_by="deadline")


def withdraw(approval: Approval, now: datetime) -> Approval:
    """The grant that asked is gone; nobody waits for the answer."""
    return _step(approval, "withdraw", now)


def _step(approval: Approval, trigger: str, now: datetime, **changes: Any) -> Approval:
    state = TRANSITIONS.get((approval.state, trigger))
    if state is None:
        raise IllegalTransition("approval", approval.id, approval.state, trigger)
    return evolve(approval, state=state, version=approval.version + 1, ended_at=now, **changes)
