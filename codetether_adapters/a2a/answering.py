"""What a message answers: which of a task's questions, and how.

A question that the message does not name is the only one that is open. An option is meant by its id, its label, or,
where leave is asked for, by a plain yes or no.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from attrs import frozen

from codetether_adapters.a2a.hitl import Decision, decisions_of
from codetether_adapters.a2a.prompts import prompt_of
from codetether_adapters.a2a_wire.values import Message
from codetether_core.approvals import Approval, ApprovalKind, Option
from codetether_core.errors import Invalid

__all__ = ["Reply", "replies_to"]

_YES: Final = frozenset({"allow", "allowed", "approve", "approved", "ok", "y", "yes"})
_NO: Final = frozenset({"deny", "denied", "n", "no", "reject", "rejected"})
_NAMED: Final = "approval_id"


@frozen(kw_only=True)
class Reply:
    """How one question is answered."""

    approval: Approval
    choice: str | None = None
    text: str | None = None


def replies_to(open: Sequence[Approval], message: Message, *, again: bool = False) -> Sequence[Reply]:
    """The answers in a message to a task that asks these; ``Invalid`` where it is not clear what is meant.

    One that is sent ``again`` has been heard: of what it decides by name, that may be left which is open still, and
    never does it answer what was asked since.
    """
    decisions = decisions_of(message)
    if again:
        left = {each.id for each in open}
        return [_decided(_named(open, each.id, "message.metadata"), each) for each in decisions if each.id in left]
    if decisions:
        return [_decided(_named(open, each.id, "message.metadata"), each) for each in decisions]
    name = (message.metadata or {}).get(_NAMED)
    if name is not None:
        return [_said(_named(open, name, f"message.metadata.{_NAMED}"), prompt_of(message))]
    if len(open) != 1:
        ids = ", ".join(each.id for each in open)
        raise Invalid(f"message.metadata.{_NAMED}", f"must name one of the questions that are open: {ids}")
    return [_said(open[0], prompt_of(message))]


def _named(open: Sequence[Approval], id: object, where: str) -> Approval:
    found = next((each for each in open if each.id == id), None)
    if found is None:
        raise Invalid(where, "must name a question of this task that is still open")
    return found


def _decided(approval: Approval, decision: Decision) -> Reply:
    if decision.approved is None:
        return _said(approval, decision.words)
    option = _leave(approval, decision.approved)
    if approval.options and option is None:
        raise Invalid("message.metadata", f"must be answered with one of: {_offered(approval)}")
    if option is not None:
        return Reply(approval=approval, choice=option.id, text=decision.words)
    refusal = f"rejected: {decision.words}" if decision.words else "rejected"
    return Reply(approval=approval, text="approved" if decision.approved else refusal)


def _said(approval: Approval, words: str) -> Reply:
    if not approval.options:
        return Reply(approval=approval, text=words)
    told = words.strip().casefold()
    for option in approval.options:
        if told in (option.id.casefold(), option.label.casefold()):
            return Reply(approval=approval, choice=option.id)
    if approval.kind is ApprovalKind.PERMISSION and told in _YES | _NO:
        meant = _leave(approval, told in _YES)
        if meant is not None:
            return Reply(approval=approval, choice=meant.id)
    raise Invalid("message.parts", f"must be one of: {_offered(approval)}")


def _leave(approval: Approval, given: bool) -> Option | None:
    """The first option that says yes, or no."""
    return next((option for option in approval.options if option.allows is given), None)


def _offered(approval: Approval) -> str:
    return ", ".join(option.id for option in approval.options)
