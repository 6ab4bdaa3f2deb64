"""Tasks: the aggregate, its table of states, the lease, and the pure verbs that lead from one version to the next."""

from codetether_core.tasks.asking import answer, ask, consult
from codetether_core.tasks.attaching import ARTIFACTS_MOST, artifact_of, attach
from codetether_core.tasks.delegating import delegate
from codetether_core.tasks.delegation import Delegation
from codetether_core.tasks.ending import cancel, complete, confirm_stop, expire, fail, keep_evidence, may_trail, review
from codetether_core.tasks.filing import filed
from codetether_core.tasks.history import CHANGE_KINDS, change
from codetether_core.tasks.holding import attend, claim, held_by, lapse, release, renew, requeue, wake
from codetether_core.tasks.lease import Grant, LeaseTerms, Word
from codetether_core.tasks.machine import LIVE, TERMINAL, TRANSITIONS, TaskState, Trigger
from codetether_core.tasks.matching import (
    ANYWHERE,
    GLOBAL,
    PENDING_CODEBASE,
    Lane,
    Profile,
    Refusal,
    lane_of,
    refusals,
)
from codetether_core.tasks.output import OUTPUT_KINDS, OutputChunk, output_event, session_of
from codetether_core.tasks.redacting import RedactedOutput
from codetether_core.tasks.retry import backoff
from codetether_core.tasks.task import Attempt, Task, TaskSpec

__all__ = [
    "ANYWHERE",
    "ARTIFACTS_MOST",
    "CHANGE_KINDS",
    "GLOBAL",
    "LIVE",
    "OUTPUT_KINDS",
    "PENDING_CODEBASE",
    "TERMINAL",
    "TRANSITIONS",
    "Attempt",
    "Delegation",
    "Grant",
    "Lane",
    "LeaseTerms",
    "OutputChunk",
    "Profile",
    "RedactedOutput",
    "Refusal",
    "Task",
    "TaskSpec",
    "TaskState",
    "Trigger",
    "Word",
    "answer",
    "artifact_of",
    "ask",
    "attach",
    "attend",
    "backoff",
    "cancel",
    "change",
    "claim",
    "complete",
    "confirm_stop",
    "consult",
    "delegate",
    "expire",
    "fail",
    "filed",
    "held_by",
    "keep_evidence",
    "lane_of",
    "lapse",
    "may_trail",
    "output_event",
    "refusals",
    "release",
    "renew",
    "requeue",
    "review",
    "session_of",
    "wake",
]
