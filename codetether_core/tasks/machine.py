"""The life of a task, as one table.

A task is *pending* until a worker claims it and is given a grant; *running* while the grant's holder works;
*input_required* while an answer is awaited, with the grant kept (held) or given back (parked). It ends *completed*,
*failed* or *cancelled*, and what has ended stays ended: a retry of it is a new task.

A holder that falls silent *lapses*: the task is pending again, but the silent grant still counts until somebody
else is granted, so that a late renewal (*resume*) or result is not thrown away.

The table holds legality only; who may pull a trigger is the fence's matter (``lease``), and what else changes is
the verb's (``holding``, ``asking``, ``ending``). A pair that is not in the table is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

__all__ = ["LIVE", "TERMINAL", "TRANSITIONS", "TaskState", "Trigger"]


class TaskState(StrEnum):
    """Where a task stands."""

    PENDING = "pending"
    RUNNING = "running"
    INPUT_REQUIRED = "input_required"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Trigger(StrEnum):
    """What may happen to a task."""

    CLAIM = "claim"
    WAKE = "wake"
    RENEW = "renew"
    RESUME = "resume"
    RESUME_ASKING = "resume_asking"
    LAPSE = "lapse"
    RELEASE = "release"
    REQUEUE = "requeue"
    RETRY = "retry"
    ASK_HELD = "ask_held"
    ASK_PARKED = "ask_parked"
    ANSWER_PARTLY = "answer_partly"
    ANSWER_HELD = "answer_held"
    ANSWER_PARKED = "answer_parked"
    COMPLETE = "complete"
    FAIL = "fail"
    EXHAUST = "exhaust"
    EXPIRE = "expire"
    CANCEL = "cancel"


_S, _T = TaskState, Trigger

TERMINAL: Final = frozenset({_S.COMPLETED, _S.FAILED, _S.CANCELLED})
LIVE: Final = frozenset(TaskState) - TERMINAL

TRANSITIONS: Final[Mapping[tuple[TaskState, Trigger], TaskState]] = MappingProxyType(
    {
        (_S.PENDING, _T.CLAIM): _S.RUNNING,
        (_S.PENDING, _T.WAKE): _S.PENDING,
        (_S.PENDING, _T.RESUME): _S.RUNNING,
        (_S.PENDING, _T.RESUME_ASKING): _S.INPUT_REQUIRED,
        (_S.PENDING, _T.ANSWER_PARTLY): _S.PENDING,
        (_S.PENDING, _T.EXPIRE): _S.FAILED,
        (_S.PENDING, _T.REQUEUE): _S.PENDING,
        (_S.PENDING, _T.CANCEL): _S.CANCELLED,
        (_S.RUNNING, _T.RENEW): _S.RUNNING,
        (_S.RUNNING, _T.LAPSE): _S.PENDING,
        (_S.RUNNING, _T.RELEASE): _S.PENDING,
        (_S.RUNNING, _T.REQUEUE): _S.PENDING,
        (_S.RUNNING, _T.RETRY): _S.PENDING,
        (_S.RUNNING, _T.ASK_HELD): _S.INPUT_REQUIRED,
        (_S.RUNNING, _T.ASK_PARKED): _S.INPUT_REQUIRED,
        (_S.RUNNING, _T.COMPLETE): _S.COMPLETED,
        (_S.RUNNING, _T.FAIL): _S.FAILED,
        (_S.RUNNING, _T.EXHAUST): _S.FAILED,
        (_S.RUNNING, _T.EXPIRE): _S.FAILED,
        (_S.RUNNING, _T.CANCEL): _S.CANCELLED,
        (_S.INPUT_REQUIRED, _T.RENEW): _S.INPUT_REQUIRED,
        (_S.INPUT_REQUIRED, _T.LAPSE): _S.PENDING,
        (_S.INPUT_REQUIRED, _T.RELEASE): _S.PENDING,
        (_S.INPUT_REQUIRED, _T.REQUEUE): _S.PENDING,
        (_S.INPUT_REQUIRED, _T.RETRY): _S.PENDING,
        (_S.INPUT_REQUIRED, _T.ASK_HELD): _S.INPUT_REQUIRED,
        (_S.INPUT_REQUIRED, _T.ANSWER_PARTLY): _S.INPUT_REQUIRED,
        (_S.INPUT_REQUIRED, _T.ANSWER_HELD): _S.RUNNING,
        (_S.INPUT_REQUIRED, _T.ANSWER_PARKED): _S.PENDING,
        (_S.INPUT_REQUIRED, _T.COMPLETE): _S.COMPLETED,
        (_S.INPUT_REQUIRED, _T.FAIL): _S.FAILED,
        (_S.INPUT_REQUIRED, _T.EXHAUST): _S.FAILED,
        (_S.INPUT_REQUIRED, _T.EXPIRE): _S.FAILED,
        (_S.INPUT_REQUIRED, _T.CANCEL): _S.CANCELLED,
    }
)
