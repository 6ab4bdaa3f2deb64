"""What the API shows of the domain's values: plain dictionaries, one shape each wherever they appear.

Hand-built, because they are made for every answer and every offer. Whatever has a ``codebase_id`` also has it as
``workspace_id``, the later name of the same thing. A task's view never has its lease token.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from attrs import asdict

from codetether_core import codec
from codetether_core.access import ToolUse
from codetether_core.approvals import Approval
from codetether_core.artifacts import Artifact
from codetether_core.codebases import Codebase
from codetether_core.services import Explanation
from codetether_core.tasks import Grant, Task, TaskState
from codetether_core.workers import Presence

__all__ = [
    "approval_view",
    "artifact_view",
    "codebase_view",
    "explanation_view",
    "lease_view",
    "moment_view",
    "task_details_view",
    "task_view",
    "waiting_for",
]


_timestamp = lru_cache(maxsize=8192)(codec.timestamp)
"""Of the few moments that are shown again and again (a task's, from offer to list) the text is kept."""


def moment_view(moment: datetime | None) -> str | None:
    """A moment as text, if there is one."""
    return None if moment is None else _timestamp(moment)


def task_view(task: Task) -> dict[str, Any]:
    """A task, as everywhere."""
    spec, grant = task.spec, task.grant
    created_at = _timestamp(task.created_at)
    started_at, ended_at, not_before = task.started_at, task.ended_at, task.not_before
    return {
        "id": task.id,
        "codebase_id": spec.codebase,
        "workspace_id": spec.codebase,
        "title": spec.title,
        "prompt": spec.prompt,
        "description": spec.prompt,
        "agent_type": spec.agent_type,
        "model": spec.model,
        "model_ref": spec.model and spec.model.replace("/", ":", 1),
        "status": task.state,
        "priority": spec.priority,
        "worker_id": grant and grant.worker,
        "target_agent_name": spec.target_agent,
        "target_worker_id": spec.target_worker,
        "required_capabilities": spec.required_capabilities,
        "result": task.result,
        "error": task.error,
        "reason": task.reason,
        "session_id": task.session,
        "metadata": spec.metadata,
        "created_at": created_at,
        "updated_at": created_at if task.updated_at is task.created_at else _timestamp(task.updated_at),
        "started_at": started_at and _timestamp(started_at),
        "completed_at": ended_at and _timestamp(ended_at),
        "not_before": not_before and _timestamp(not_before),
        "attempt": grant.number if grant else 0,
        "max_attempts": spec.max_attempts,
        "attempts_charged": task.charged,
        "retry_of": spec.retry_of,
        "context_id": spec.context,
        "created_by": task.created_by,
        "awaiting": task.awaiting,
        "stopped": task.stopped,
        "reviewed": task.reviewed,
        "version": task.version,
    }


def task_details_view(task: Task) -> dict[str, Any]:
    """A task with its attempts and files, for whoever asks for this one; their tokens are nobody's to see."""
    attempts = [
        {
            "number": int(attempt.token.partition(".")[0]),
            "worker_id": attempt.worker,
            "granted_at": _timestamp(attempt.granted_at),
            "ended_at": _timestamp(attempt.ended_at),
            "ending": attempt.ending,
            "evidence": attempt.evidence,
        }
        for attempt in task.attempts
    ]
    artifacts = [artifact_view(artifact) for artifact in task.artifacts]
    return {
        **task_view(task),
        "attempts": attempts,
        "artifacts": artifacts,
        "delegation": task.delegation and asdict(task.delegation),
    }


def artifact_view(artifact: Artifact) -> dict[str, Any]:
    """A file that a run left; where its bytes are is our own affair."""
    return {
        "name": artifact.name,
        "media_type": artifact.media_type,
        "size": artifact.size,
        "attempt": artifact.attempt,
        "created_at": _timestamp(artifact.created_at),
    }


def lease_view(grant: Grant, ttl: timedelta) -> dict[str, Any]:
    """A grant, for its holder's eyes only."""
    return {
        "token": grant.token,
        "expires_at": _timestamp(grant.expires_at),
        "run_deadline": _timestamp(grant.run_deadline),
        "ttl_seconds": ttl.total_seconds(),
        "number": grant.number,
    }


def approval_view(approval: Approval) -> dict[str, Any]:
    """An approval, as everywhere."""
    return {
        "id": approval.id,
        "task_id": approval.task,
        "codebase_id": approval.codebase,
        "workspace_id": approval.codebase,
        "kind": approval.kind,
        "prompt": approval.prompt,
        "options": [
            {"id": each.id, "label": each.label, "kind": each.kind, "allows": each.allows} for each in approval.options
        ],
        "details": approval.details,
        "tool": _tool_view(approval.tool),
        "asked_by_rule": approval.asked_by_rule,
        "status": approval.state,
        "created_at": _timestamp(approval.created_at),
        "deadline": _timestamp(approval.deadline),
        "held": approval.held,
        "choice": approval.choice,
        "text": approval.text,
        "answered_by": approval.answered_by,
        "ended_at": moment_view(approval.ended_at),
    }


def _tool_view(tool: ToolUse | None) -> dict[str, Any] | None:
    if tool is None:
        return None
    return {"name": tool.name, "kind": tool.kind, "command": tool.command, "paths": tool.paths}


def codebase_view(
    codebase: Codebase, *, present: Collection[str] = (), busy: bool = False, session: str | None = None
) -> dict[str, Any]:
    """A codebase; ``present`` are the workers that are there, ``busy`` whether a task runs on it."""
    workers = sorted(codebase.workers)
    return {
        "id": codebase.id,
        "codebase_id": codebase.id,
        "workspace_id": codebase.id,
        "name": codebase.name,
        "path": codebase.path,
        "description": codebase.description,
        "registered_at": _timestamp(codebase.registered_at),
        "updated_at": _timestamp(codebase.updated_at),
        "agent_config": codebase.agent_config,
        "last_triggered": moment_view(codebase.last_triggered),
        "status": "running" if busy else "watching" if codebase.watching else "idle",
        "opencode_port": None,
        "session_id": session,
        "watch_mode": codebase.watching,
        "watch_interval": codebase.watch_interval,
        "worker_id": next((each for each in workers if each in present), workers[0] if workers else None),
        "workers": workers,
        "available": any(each in present for each in workers),
        "version": codebase.version,
    }


def explanation_view(task: Task, found: Sequence[Explanation]) -> dict[str, Any]:
    """Why a task waits, and what keeps it from each worker."""
    return {
        "task": task_view(task),
        "waiting_for": waiting_for(task, found),
        "workers": [
            {
                "worker_id": each.worker.id,
                "name": each.worker.name,
                "presence": each.presence,
                "refusals": each.refusals,
                "busy": each.busy,
                "slots": each.worker.slots,
                "in_the_way": each.in_the_way,
            }
            for each in found
        ],
    }


_STANDING: Mapping[TaskState, str] = {
    TaskState.RUNNING: "nothing: it runs",
    TaskState.INPUT_REQUIRED: "an answer to a question",
    TaskState.COMPLETED: "nothing: it is completed",
    TaskState.FAILED: "nothing: it failed",
    TaskState.CANCELLED: "nothing: it is cancelled",
}


def waiting_for(task: Task, found: Sequence[Explanation]) -> str:
    """What the task waits for, in words."""
    if task.state is not TaskState.PENDING:
        return _STANDING[task.state]
    if task.not_before is not None:
        return f"{_timestamp(task.not_before)}, until when it is put off"
    fitting = [each for each in found if not each.refusals]
    if not fitting:
        return "a worker that may take it: none of those registered may" if found else "a worker: none is registered"
    present = [each for each in fitting if each.presence is Presence.ACTIVE]
    if not present:
        return "a worker that may take it to come back"
    if all(each.busy >= each.worker.slots for each in present):
        return "a free slot: every worker that may take it is busy"
    if all(each.in_the_way for each in present):
        return f"its checkout, where one task runs at a time: {present[0].in_the_way[0]} is there"
    return "a worker that may take it to claim it"
