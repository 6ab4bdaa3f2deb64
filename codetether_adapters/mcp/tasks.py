"""Tasks as they are shown: in a row, or alone with what they ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from codetether_adapters.mcp.caller import Exchange
from codetether_adapters.mcp.clipping import WORDS, clipped, is_clipped
from codetether_adapters.mcp.hub import Hub
from codetether_adapters.mcp.results import Choice, Question, TaskDetails, TaskRow
from codetether_core.approvals import Approval, ApprovalState
from codetether_core.tasks import Task, TaskState

__all__ = ["POLL_MS", "details", "row", "standing"]

POLL_MS: Final = 2_000

_STANDING: Final[Mapping[TaskState, str]] = {
    TaskState.PENDING: "queued: no worker has claimed it yet",
    TaskState.RUNNING: "running",
    TaskState.INPUT_REQUIRED: "waiting for an answer: see questions, then call answer_task",
    TaskState.COMPLETED: "completed",
    TaskState.FAILED: "failed",
    TaskState.CANCELLED: "cancelled",
}
_QUESTIONS: Final = 20


def standing(task: Task) -> str:
    """How it stands, in words."""
    if task.state is TaskState.FAILED and task.error:
        return f"failed: {clipped(task.error)}"
    if task.state is TaskState.PENDING and task.reason:
        return f"queued again: {task.reason.replace('_', ' ')}"
    if task.state is TaskState.CANCELLED and not task.stopped:
        return "cancelled: the worker has not yet confirmed that it stopped"
    return _STANDING[task.state]


def row(task: Task) -> TaskRow:
    """In a list."""
    return TaskRow(
        task_id=task.id,
        codebase_id=task.spec.codebase,
        title=clipped(task.spec.title),
        agent_type=clipped(task.spec.agent_type),
        status=task.state,
        status_message=standing(task),
        created_at=task.created_at,
        updated_at=task.updated_at,
    )


async def details(hub: Hub, exchange: Exchange, task: Task, *, full: bool = False, most: int = WORDS) -> TaskDetails:
    """Alone, texts with up to so many characters; ``full``: with what was asked for."""
    shown = row(task)
    texts = (task.result, task.error, task.spec.prompt if full else None)
    return TaskDetails(
        task_id=shown.task_id,
        codebase_id=shown.codebase_id,
        title=shown.title,
        agent_type=shown.agent_type,
        status=shown.status,
        status_message=shown.status_message,
        created_at=shown.created_at,
        updated_at=shown.updated_at,
        started_at=task.started_at,
        ended_at=task.ended_at,
        worker_id=task.grant.worker if task.grant else None,
        session_id=task.session,
        prompt=clipped(task.spec.prompt, most) if full else None,
        result=None if task.result is None else clipped(task.result, most),
        error=None if task.error is None else clipped(task.error, most),
        truncated=any(is_clipped(text, most) for text in texts),
        questions=tuple(map(_question, await _asked(hub, exchange, task))),
        poll_after_ms=None if task.ended else POLL_MS,
    )


async def _asked(hub: Hub, exchange: Exchange, task: Task) -> Sequence[Approval]:
    if not task.awaiting:
        return ()
    return await hub.services.questions.find(
        exchange.principal, task=task.id, state=ApprovalState.OPEN, limit=_QUESTIONS
    )


def _question(approval: Approval) -> Question:
    return Question(
        approval_id=approval.id,
        kind=approval.kind,
        prompt=clipped(approval.prompt, WORDS),
        choices=tuple(Choice(id=each.id, label=clipped(each.label)) for each in approval.options),
        deadline=approval.deadline,
    )
