"""What a policy says to an agent's wish."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from attrs import frozen

__all__ = ["POLICY_FAILED", "UNDEFINED", "Decision", "Verdict"]


class Decision(StrEnum):
    """Yes, no, or: ask a human."""

    ALLOW = "allow"
    DENY = "deny"
    ASK = "ask"


@frozen(kw_only=True)
class Verdict:
    """A decision, the name of the ``rule`` that made it, and why, in words for the agent and for people."""

    decision: Decision
    rule: str
    reason: str = ""


UNDEFINED: Final = Verdict(decision=Decision.ASK, rule="undefined")
"""A policy that says nothing leaves it to a human."""

POLICY_FAILED: Final = Verdict(
    decision=Decision.DENY, rule="policy_failed", reason="The policy could not be asked; try again later."
)
"""One that fails to decide allows nothing, and no human is asked in its place: whoever brings it down gains nothing."""
