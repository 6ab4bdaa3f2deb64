"""CodeTether's domain, with nothing around it: values, pure verbs, ports and services.

The names here are what another program needs to keep tasks of its own: a task at one version, the verbs that lead
to the next, the lease that says who may speak, the errors. Everything else is in the packages below, each of which
has one aggregate (``tasks``, ``approvals``, ``codebases``, ``workers``, ``agents``, ``sessions``, ``messages``), or
one concern (``access``, ``events``, ``codec``). ``ports`` says what the domain asks of the world and ``services``
what it does with it.
"""

from codetether_core.access import DEFAULT_TENANT, Principal
from codetether_core.errors import CodeTetherError
from codetether_core.events import Cursor, Event, Topic
from codetether_core.ids import CodebaseId, TaskId, TenantId, WorkerId, new_id
from codetether_core.tasks import (
    TRANSITIONS,
    Grant,
    LeaseTerms,
    Task,
    TaskSpec,
    TaskState,
    Trigger,
    Word,
    answer,
    ask,
    cancel,
    claim,
    complete,
    fail,
    lapse,
    release,
    renew,
    requeue,
)

__all__ = [
    "DEFAULT_TENANT",
    "TRANSITIONS",
    "CodeTetherError",
    "CodebaseId",
    "Cursor",
    "Event",
    "Grant",
    "LeaseTerms",
    "Principal",
    "Task",
    "TaskId",
    "TaskSpec",
    "TaskState",
    "TenantId",
    "Topic",
    "Trigger",
    "Word",
    "WorkerId",
    "answer",
    "ask",
    "cancel",
    "claim",
    "complete",
    "fail",
    "lapse",
    "new_id",
    "release",
    "renew",
    "requeue",
]
