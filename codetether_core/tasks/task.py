"""The task: what was asked for, and where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from attrs import Factory, evolve, field, frozen

from codetether_core.artifacts import Artifact, LogSegment
from codetether_core.errors import IllegalTransition
from codetether_core.ids import AgentName, ApprovalId, CodebaseId, ContextId, SessionId, TaskId, TenantId, WorkerId
from codetether_core.tasks.delegation import Delegation
from codetether_core.tasks.lease import Grant
from codetether_core.tasks.machine import TERMINAL, TRANSITIONS, TaskState, Trigger

__all__ = ["Attempt", "Task", "TaskSpec", "parted", "recorded", "step"]

_ATTEMPTS_KEPT: Final = 16


@frozen(kw_only=True)
class TaskSpec:
    """What a client asked for; it never changes.

    ``target_agent`` and ``target_worker`` narrow who may take it, ``required_capabilities`` are sorted and unique.
    ``max_attempts`` counts runs that died or asked to be retried; ``run_timeout`` limits one run; ``start_by`` fails
    a task that nobody has claimed by then. ``metadata`` holds JSON values. ``context`` is the conversation that it
    belongs to, by a name that its client chose or was given.
    """

    codebase: CodebaseId
    title: str
    prompt: str
    agent_type: str = "build"
    model: str | None = None
    priority: int = 0
    metadata: Mapping[str, Any] = Factory(dict[str, Any])
    target_agent: AgentName | None = None
    target_worker: WorkerId | None = None
    required_capabilities: tuple[str, ...] = ()
    max_attempts: int = 3
    run_timeout: timedelta | None = None
    start_by: datetime | None = None
    retry_of: TaskId | None = None
    context: ContextId | None = None


@frozen(kw_only=True)
class Attempt:
    """A grant that is over: whose it was, how it ended (a trigger), and what its holder still had to say too late."""

    token: str = field(repr=False)
    worker: WorkerId
    granted_at: datetime
    ended_at: datetime
    ending: Trigger
    evidence: str | None = None


@frozen(kw_only=True)
class Task:
    """A task at one version. Every verb returns a new value with ``version`` one higher; a store swaps the two.

    ``since`` is the moment from which on it is in its state; of one that says nothing, that of its last change.

    ``charged`` counts the attempts used up. ``grant`` is the last grant minted; it still counts while
    ``holder`` is not ``None``. ``reason`` is a slug that says why a task waits or failed, or how it succeeded,
    ``error`` the sentence.
    ``stopped`` tells of a cancelled task whether its last holder has confirmed that nothing runs any more.
    ``artifacts`` are the files that its runs left, in order of name; ``log`` is what of its log was filed away.
    ``delegation`` is what it is at the agent that it was given to, if that is elsewhere.
    """

    id: TaskId
    tenant: TenantId
    spec: TaskSpec
    created_by: str
    created_at: datetime
    updated_at: datetime
    since: datetime = Factory(lambda task: task.updated_at, takes_self=True)
    state: TaskState = TaskState.PENDING
    version: int = 1
    not_before: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    charged: int = 0
    grant: Grant | None = None
    attempts: tuple[Attempt, ...] = ()
    awaiting: tuple[ApprovalId, ...] = ()
    answer_by: datetime | None = None
    session: SessionId | None = None
    result: str | None = None
    error: str | None = None
    reason: str | None = None
    stopped: bool = True
    reviewed: bool = False
    artifacts: tuple[Artifact, ...] = ()
    log: tuple[LogSegment, ...] = ()
    delegation: Delegation | None = None

    @classmethod
    def new(cls, id: TaskId, tenant: TenantId, spec: TaskSpec, *, created_by: str, now: datetime) -> Task:
        """A pending task, at version 1."""
        return cls(id=id, tenant=tenant, spec=spec, created_by=created_by, created_at=now, updated_at=now)

    @property
    def holder(self) -> Grant | None:
        """The grant whose words count, a lapsed one included until somebody else is granted."""
        return self.grant if self.grant and self.grant.burnt_at is None else None

    @property
    def lapsed(self) -> bool:
        """Pending again because the holder fell silent, and not yet granted to anybody else."""
        return self.state is TaskState.PENDING and self.holder is not None

    @property
    def ended(self) -> bool:
        """Completed, failed or cancelled, for good."""
        return self.state in TERMINAL

    @property
    def ready(self) -> bool:
        """Open to claims now: pending and not put off."""
        return self.state is TaskState.PENDING and self.not_before is None

    @property
    def fence(self) -> str:
        """What an append about this task is guarded by: the honoured grant, and whether a cancel overtook it."""
        if self.holder:
            return self.holder.token
        if self.state is TaskState.CANCELLED and self.grant and not self.stopped:
            return f"{self.grant.token}/cancelled"
        return ""

    @property
    def filed_to(self) -> int:
        """The number of the last event that was filed away; 0 if none was."""
        return self.log[-1].last if self.log else 0

    @property
    def due_at(self) -> datetime | None:
        """The next moment at which time alone changes this task (``maintenance`` acts on it); never is ``None``."""
        moments: list[datetime | None] = []
        if self.state is TaskState.PENDING:
            moments = [self.not_before, self.answer_by, self.spec.start_by if self.grant is None else None]
        elif not self.ended:
            moments = [self.answer_by]
            if self.holder:
                moments += [self.holder.expires_at, self.holder.run_deadline]
        return min((moment for moment in moments if moment is not None), default=None)


def step(task: Task, trigger: Trigger, now: datetime, **changes: Any) -> Task:
    """The task after a legal trigger, with ``changes``; ``IllegalTransition`` otherwise. Legality, nothing else."""
    state = TRANSITIONS.get((task.state, trigger))
    if state is None:
        raise IllegalTransition("task", task.id, task.state, trigger)
    since = task.since if state is task.state else now
    return evolve(task, state=state, since=since, version=task.version + 1, updated_at=now, **changes)


def parted(task: Task, ending: Trigger, now: datetime) -> dict[str, Any]:
    """The changes by which a task parts from its holder: the grant burnt, and its attempt on record."""
    if task.holder is None:
        return {}
    attempts = task.attempts if task.lapsed else recorded(task, task.holder, ending, now)
    return {"grant": evolve(task.holder, burnt_at=now), "attempts": attempts}


def recorded(task: Task, grant: Grant, ending: Trigger, now: datetime) -> tuple[Attempt, ...]:
    """The task's attempts with this grant's added; the oldest go first when there are too many."""
    attempt = Attempt(
        token=grant.token,
        worker=grant.worker,
        granted_at=grant.granted_at,
        ended_at=now,
        ending=ending,
    )
    return (*task.attempts, attempt)[-_ATTEMPTS_KEPT:]
