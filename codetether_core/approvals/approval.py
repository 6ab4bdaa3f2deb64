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

from codetether_core.access import ToolUse
from codetether_core.errors import AlreadyAnswered, IllegalTransition, Invalid
from codetether_core.ids import ApprovalId, CodebaseId, TaskId, TenantId

__all__ = [
    "TRANSITIONS",
    "Approval",
    "ApprovalKind",
    "ApprovalState",
    "Option",
    "OptionKind",
    "answer",
    "expire",
    "withdraw",
]


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


class OptionKind(StrEnum):
    """How far a choice goes, in the words of the Agent Client Protocol."""

    ALLOW_ONCE = "allow_once"
    ALLOW_ALWAYS = "allow_always"
    REJECT_ONCE = "reject_once"
    REJECT_ALWAYS = "reject_always"

    @property
    def allows(self) -> bool:
        """Whether it is a yes."""
        return self in (OptionKind.ALLOW_ONCE, OptionKind.ALLOW_ALWAYS)


@frozen(kw_only=True)
class Option:
    """One choice that is offered; ``allows`` tells a yes from a no, which its ``kind`` does as well if it has one."""

    id: str
    label: str
    kind: OptionKind | None = None
    allows: bool = Factory(lambda self: self.kind is None or self.kind.allows, takes_self=True)


@frozen(kw_only=True)
class Approval:
    """A question to a human (or a policy), its choices, and what came of it.

    Without ``options`` the answer is free text. ``grant`` is the token of the asking grant, ``held`` whether its
    holder goes on holding the task meanwhile. ``tool`` is what a permission is wanted for, if that was declared, and
    ``asked_by_rule`` the rule of the policy that left it to a human. ``reply`` is the message that it was answered
    with, as the protocol by which it came has it, and ``reply_key`` tells that message when it is sent again.
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
    tool: ToolUse | None = None
    asked_by_rule: str | None = None
    state: ApprovalState = ApprovalState.OPEN
    version: int = 1
    choice: str | None = None
    text: str | None = None
    answered_by: str | None = None
    reply: Mapping[str, Any] | None = None
    reply_key: str | None = None
    ended_at: datetime | None = None

    @property
    def judged(self) -> bool:
        """Whether a policy answered it: it was never open."""
        return self.version == 1 and self.state is ApprovalState.ANSWERED

    @property
    def refusal(self) -> Option | None:
        """The option that a deadline, or a policy, picks to say no: for good only if there is no other."""
        refusing = (option for option in self.options if not option.allows)
        return min(refusing, key=lambda option: option.kind is OptionKind.REJECT_ALWAYS, default=None)

    @property
    def permission(self) -> Option | None:
        """The option that a policy picks to say yes: this once, for of other uses nobody asked it.

        One that does not say how long it holds counts if no other allows.
        """
        allowing = [option for option in self.options if option.allows]
        once = (option for option in allowing if option.kind is OptionKind.ALLOW_ONCE)
        sole = allowing[0] if len(allowing) == 1 and allowing[0].kind is None else None
        return next(once, sole)


def answer(
    approval: Approval,
    now: datetime,
    *,
    by: str,
    choice: str | None = None,
    text: str | None = None,
    reply: Mapping[str, Any] | None = None,
    reply_key: str | None = None,
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
    return _step(approval, "answer", now, choice=choice, text=text, answered_by=by, reply=reply, reply_key=reply_key)


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
