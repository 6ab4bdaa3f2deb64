"""Tasks read together with what belongs to them."""

from __future__ import annotations

from typing import Final

from codetether_adapters.a2a.agent import Agent
from codetether_adapters.a2a.artifacts import INLINE, artifacts_of
from codetether_adapters.a2a.hitl import HITL
from codetether_adapters.a2a.request import Request
from codetether_adapters.a2a.telling import shown
from codetether_adapters.a2a_wire.values import Task as Shown
from codetether_core.approvals import Approval
from codetether_core.tasks import Task

__all__ = ["view"]

_MOST: Final = 500


async def view(
    agent: Agent,
    request: Request,
    task: Task,
    *,
    history_length: int | None = None,
    artifacts: bool = True,
    inline: int = INLINE,
) -> Shown:
    """The task as the client sees it, with up to ``inline`` bytes of what it made."""
    approvals: list[Approval] = []
    if task.grant is not None:  # who never ran never asked
        approvals = [*await agent.services.questions.find(request.principal, task=task.id, limit=_MOST)][::-1]
    return shown(
        task,
        approvals,
        history_length=history_length,
        artifacts=await artifacts_of(agent, request, task, inline) if artifacts else (),
        hitl=HITL in request.extensions,
    )
