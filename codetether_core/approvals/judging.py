"""What a policy makes of an agent's wish, before it becomes a human's question."""

from __future__ import annotations

from datetime import datetime

from attrs import evolve

from codetether_core.access import Decision, Verdict
from codetether_core.approvals.approval import Approval, Option, answer
from codetether_core.errors import DeniedByPolicy

__all__ = ["judged"]


def judged(approval: Approval, verdict: Verdict, now: datetime) -> Approval:
    """A new approval as the policy leaves it: answered by ``policy:<rule>``, or open and ``asked_by_rule``.

    An answer lets the holder go on at once. ``DeniedByPolicy`` where no option says no; where none says yes to this
    once alone, a human is asked after all.
    """
    match verdict.decision:
        case Decision.DENY if approval.refusal is None:
            raise DeniedByPolicy(verdict.rule, verdict.reason)
        case Decision.DENY if approval.refusal is not None:
            return _answered(approval, verdict, approval.refusal, now)
        case Decision.ALLOW if approval.permission is not None:
            return _answered(approval, verdict, approval.permission, now)
        case _:
            return evolve(approval, asked_by_rule=verdict.rule)


def _answered(approval: Approval, verdict: Verdict, option: Option, now: datetime) -> Approval:
    said = answer(approval, now, by=f"policy:{verdict.rule}", choice=option.id, text=verdict.reason or None)
    return evolve(said, held=True, version=approval.version)
