"""How a task at an agent elsewhere goes wrong, in our words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from codetether_adapters.a2a_wire.values import TaskState
from codetether_adapters.peers.failures import Refused
from codetether_adapters.peers.words import MESSAGE, fit
from codetether_core.ids import AgentName
from codetether_core.ports import RunFailed

__all__ = ["failed", "failure_of", "unknown"]

_TASK_NOT_FOUND: Final = -32001
_UNAUTHORIZED: Final = frozenset({401, 403})
_REASONS: Final[Mapping[TaskState, tuple[str, str]]] = {
    TaskState.FAILED: ("failed", "agent_failed"),
    TaskState.REJECTED: ("rejected the task", "rejected"),
    TaskState.CANCELED: ("cancelled the task", "peer_cancelled"),
}


def failed(agent: AgentName, state: TaskState, said: str) -> RunFailed:
    """The agent has ended the task, and not well."""
    problem, reason = _REASONS[state]
    return RunFailed(fit(said, MESSAGE) or f"{agent} {problem}", reason, said=True)


def failure_of(agent: AgentName, refusal: Refused) -> RunFailed:
    """The agent does not do what it is asked."""
    if refusal.code == _TASK_NOT_FOUND:
        return RunFailed(f"{agent} does not know the task: {refusal}", "peer_lost_task")
    reason = "peer_unauthorized" if refusal.code in _UNAUTHORIZED else "peer_refused"
    return RunFailed(f"{agent} refuses: {refusal}", reason)


def unknown(agent: AgentName) -> RunFailed:
    """It cannot be found out whether the agent has the task: to give it again might have it done twice."""
    what = f"It is not known whether {agent} has taken the task: look there, and retry it if it has not"
    return RunFailed(what, "delivery_unknown")
