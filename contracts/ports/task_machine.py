"""A machine that drives a task store and a model side by side, and compares them after every step.

The model is a dictionary and the pure verbs of ``codetether_core.tasks``; whatever a rule does to it, it does to the
store by compare-and-swap. Old grants stay among those that may speak: staleness is the point. Time jumps exactly to
deadlines and a microsecond to either side, for random time never hits a boundary.

Every call is repeated while the store is unavailable, so the same machine runs over a store that fails before or after
it did what was asked.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Final, TypeAlias, TypeVar

from attrs import evolve
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, precondition, rule

from codetether_core import approvals as approving
from codetether_core import tasks as verbs
from codetether_core.approvals import Approval, ApprovalKind, Option
from codetether_core.errors import AlreadyExists, Conflict, StaleLease, VersionConflict
from codetether_core.events import Event, Guard
from codetether_core.ids import ApprovalId, CodebaseId, TaskId, TenantId, WorkerId
from codetether_core.ports import ApprovalChange, Backend
from codetether_core.tasks import Task, TaskState, Word
from contracts.ports.harness import Host, insist, raises
from contracts.ports.samples import MICROSECOND, NOW, SECOND, TERMS, new_task, output, word
from contracts.ports.task_model import ALL, HOLDING, TENANTS, WORKERS, Model, events_of

__all__ = ["TaskStoreMachine"]

T = TypeVar("T")

_CODEBASES: Final = (CodebaseId("cb1"), CodebaseId("cb2"))
_OPEN: Final = 5
"""Tasks that have not ended, at most: few enough that each has a story."""

_LATE: Final = st.sampled_from([False, False, True])

_WHICH: Final = st.integers(0, 9)
"""Which of several things to do something to."""

_Spoken: TypeAlias = tuple[TaskId, Word]
_Swap: TypeAlias = tuple[Task, Task, Sequence[Event], Sequence[ApprovalChange], str]


class TaskStoreMachine(RuleBasedStateMachine):
    """Say in a subclass which store to ``open``; its ``TestCase`` is the test."""

    ids = Bundle("ids")
    grants = Bundle("grants")

    def __init__(self) -> None:
        super().__init__()
        self.host = self.open()
        self.now = NOW
        self.serial = 0
        self.swaps: dict[TaskId, _Swap] = {}
        self.ordinals: dict[str, int] = {}
        self.model = Model(self.call(lambda backend: backend.log.head()))

    def open(self) -> Host:
        """A new store for a run."""
        raise NotImplementedError

    def teardown(self) -> None:
        """Close the store."""
        self.host.close()

    @initialize(target=grants, worker=st.sampled_from(WORKERS), max_attempts=st.integers(1, 3))
    def begin(self, worker: WorkerId, max_attempts: int) -> _Spoken:
        """With a task that runs, and one that may be claimed."""
        self._add(new_task(self._next("t"), at=self.now, codebase=_CODEBASES[0]))
        self._add(new_task(self._next("t"), at=self.now, codebase=_CODEBASES[0], max_attempts=max_attempts, priority=1))
        return self._claim(self.model.where(lambda task: task.spec.priority == 1)[0], worker)

    # ------------------------------------------------------------------ what clients do

    @precondition(lambda self: sum(not task.ended for task in self.model.tasks.values()) < _OPEN)
    @rule(
        target=ids,
        tenant=st.sampled_from(TENANTS),
        codebase=st.sampled_from(_CODEBASES),
        priority=st.integers(-1, 2),
        target_worker=st.sampled_from([None, None, *WORKERS]),
        capabilities=st.sampled_from([(), (), ("gpu",)]),
        max_attempts=st.integers(1, 3),
        start_by=st.sampled_from([None, None, 30]),
    )
    def submit(
        self,
        tenant: TenantId,
        codebase: CodebaseId,
        priority: int,
        target_worker: WorkerId | None,
        capabilities: tuple[str, ...],
        max_attempts: int,
        start_by: int | None,
    ) -> TaskId:
        task = new_task(
            self._next("t"),
            tenant=tenant,
            at=self.now,
            codebase=codebase,
            priority=priority,
            target_worker=target_worker,
            required_capabilities=capabilities,
            max_attempts=max_attempts,
            start_by=None if start_by is None else self.now + start_by * SECOND,
        )
        self._add(task)
        return task.id

    @rule(id=ids)
    def cancel(self, id: TaskId) -> None:
        self.apply(id, lambda task: verbs.cancel(task, self.now, by="somebody"))

    @precondition(lambda self: self.model.where(lambda task: task.state in HOLDING))
    @rule(which=_WHICH)
    def requeue(self, which: int) -> None:
        task = self._one(lambda task: task.state in HOLDING, which)
        self.apply(task.id, lambda task: verbs.requeue(task, self.now))

    @precondition(lambda self: self.model.where(lambda task: task.ended))
    @rule(which=_WHICH)
    def review(self, which: int) -> None:
        self.apply(self._one(lambda task: task.ended, which).id, lambda task: verbs.review(task, self.now))

    @precondition(lambda self: self.model.where(lambda task: bool(task.awaiting)))
    @rule(which=_WHICH)
    def answer(self, which: int) -> None:
        task = self._one(lambda task: bool(task.awaiting), which)
        asked = self.model.approvals[task.awaiting[which % len(task.awaiting)]]
        self._answer(asked, approving.answer(asked, self.now, by="somebody", choice="yes"))

    # ------------------------------------------------------------------ what workers do

    @precondition(lambda self: self.model.where(lambda task: task.ready))
    @rule(target=grants, worker=st.sampled_from(WORKERS), which=_WHICH)
    def claim_next(self, worker: WorkerId, which: int) -> _Spoken:
        """Whatever the store offers; whether this worker may have it is no matter of the store's."""

        async def offered(backend: Backend) -> Sequence[Task]:
            lanes = [lane for tenant in TENANTS for lane in await backend.tasks.lanes(tenant)]
            return await backend.tasks.ready(lanes, 2)

        offers = self.call(offered)
        return self._claim(offers[which % len(offers)], worker)

    @rule(grant=grants, late=_LATE)
    def renew(self, grant: _Spoken, late: bool) -> None:
        id, said = self._speaker(grant, late)
        self.apply(id, lambda task: verbs.renew(task, said, self.now, TERMS))

    @rule(
        grant=grants,
        late=_LATE,
        count=st.integers(1, 3),
        back=st.integers(0, 2),
        mark=st.sampled_from(["", "", "/cancelled"]),
    )
    def speak(self, grant: _Spoken, late: bool, count: int, back: int, mark: str) -> None:
        """Output, with up to ``back`` events that were sent before."""
        id, said = self._speaker(grant, late)
        fence = f"{said.token}{mark}"
        following = self.ordinals.get(fence, 0)
        first = max(following - back, 0)
        events = output(self.model.tasks[id], *(f"{fence}:{ordinal}" for ordinal in range(first, first + count)))
        guard = Guard(id, fence, first)
        if self.model.tasks[id].fence != fence:
            self.refused(StaleLease, lambda backend: backend.log.append(events, guard))
            return
        self.call(lambda backend: backend.log.append(events, guard))
        self.model.expected += events[following - first :]
        self.ordinals[fence] = max(following, first + count)

    @rule(grant=grants, late=_LATE, held=st.booleans(), patience=st.integers(1, 200))
    def ask(self, grant: _Spoken, late: bool, held: bool, patience: int) -> None:
        id, said = self._speaker(grant, late)
        task = self.model.tasks[id]
        question = Approval(
            id=ApprovalId(self._next("a")),
            tenant=task.tenant,
            task=id,
            codebase=task.spec.codebase,
            grant=str(said.token),
            kind=ApprovalKind.PERMISSION,
            prompt="May I?",
            created_at=self.now,
            deadline=self.now + patience * SECOND,
            held=held,
            options=(Option(id="yes", label="Yes"), Option(id="no", label="No", allows=False)),
        )
        self.apply(
            id,
            lambda task: verbs.ask(
                task, said, self.now, TERMS, approval=question.id, deadline=question.deadline, held=held
            ),
            ApprovalChange(None, question),
        )

    @rule(grant=grants, late=_LATE)
    def complete(self, grant: _Spoken, late: bool) -> None:
        id, said = self._speaker(grant, late)
        self.apply(id, lambda task: verbs.complete(task, said, self.now, TERMS, result="done"))

    @rule(grant=grants, late=_LATE, retry_after=st.sampled_from([None, 0, 45]))
    def fail(self, grant: _Spoken, late: bool, retry_after: int | None) -> None:
        id, said = self._speaker(grant, late)
        wait = None if retry_after is None else timedelta(seconds=retry_after)
        self.apply(id, lambda task: verbs.fail(task, said, self.now, TERMS, error="no", retry_after=wait))

    @rule(grant=grants, late=_LATE)
    def release(self, grant: _Spoken, late: bool) -> None:
        id, said = self._speaker(grant, late)
        self.apply(id, lambda task: verbs.release(task, said, self.now, TERMS))

    @rule(grant=grants, late=_LATE)
    def confirm_stop(self, grant: _Spoken, late: bool) -> None:
        id, said = self._speaker(grant, late)
        self.apply(id, lambda task: verbs.confirm_stop(task, said, self.now))

    # ------------------------------------------------------------------ what time does

    @rule(seconds=st.integers(1, 120))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @precondition(lambda self: self.model.where(self._is_yet_due))
    @rule(which=_WHICH, offset=st.sampled_from([-1, 0, 0, 1]))
    def time_reaches_a_deadline(self, which: int, offset: int) -> None:
        due = self._one(self._is_yet_due, which).due_at
        assert due is not None
        self.now = max(self.now, due + offset * MICROSECOND)

    @precondition(lambda self: self.model.where(lambda task: task.due_at is not None and task.due_at <= self.now))
    @rule()
    def reap(self) -> None:
        for due in self.call(lambda backend: backend.tasks.overdue(self.now, ALL)):
            self._when_due(self.model.tasks[due.id])

    # ------------------------------------------------------------------ what races and faults do

    @rule(id=ids, off=st.sampled_from([-1, 1]))
    def a_lost_race_changes_nothing(self, id: TaskId, off: int) -> None:
        """A swap from another version than the present one, and an add of what is there."""
        task = self.model.tasks[id]
        other = Task.new(id, task.tenant, task.spec, created_by="x", now=self.now)
        stale, written = (evolve(other, version=task.version + raised) for raised in (off, off + 1))
        events, op = output(task, "never"), self._next("op")
        self.refused(VersionConflict, lambda backend: backend.tasks.replace(stale, written, events, op=op))
        self.refused(AlreadyExists, lambda backend: backend.tasks.add(other, events))

    @precondition(lambda self: self.swaps)
    @rule(which=_WHICH)
    def a_lost_reply_is_settled_by_its_operation(self, which: int) -> None:
        old, new, events, changes, op = [*self.swaps.values()][which % len(self.swaps)]
        self.call(lambda backend: backend.tasks.replace(old, new, events, approvals=changes, op=op))
        self.refused(
            VersionConflict,
            lambda backend: backend.tasks.replace(old, new, events, approvals=changes, op=self._next("op")),
        )

    # ------------------------------------------------------------------ what must hold after every step

    @invariant()
    def the_store_is_the_model(self) -> None:
        self.host.run(self.model.compare(self.host.backend, self.now))

    @invariant()
    def a_grant_counts_while_it_runs_or_has_lapsed(self) -> None:
        for task in self.model.tasks.values():
            parked = task.state is TaskState.INPUT_REQUIRED and task.holder is None
            assert (task.holder is not None) == (task.lapsed or (task.state in HOLDING and not parked))

    # ------------------------------------------------------------------ how it is done

    def call(self, make: Callable[[Backend], Awaitable[T]]) -> T:
        """Call the store until there is an answer."""
        return self.host.run(insist(lambda: make(self.host.backend)))

    def refused(self, error: type[Exception], make: Callable[[Backend], Awaitable[object]]) -> None:
        """Call the store until it refuses; that nothing changed is for the invariants to see."""
        self.host.run(raises(error, insist(lambda: make(self.host.backend))))

    def _add(self, task: Task) -> None:
        events = events_of(None, task)

        async def add(backend: Backend) -> None:
            try:
                await backend.tasks.add(task, events)
            except AlreadyExists:
                # The reply to an earlier try was lost.
                assert await backend.tasks.get(task.tenant, task.id) == task

        self.call(add)
        self.model.swap(task, (), events)

    def apply(self, id: TaskId, verb: Callable[[Task], Task], *changes: ApprovalChange) -> None:
        """Do to the store what the verb does to the model, if it is legal."""
        old = self.model.tasks[id]
        try:
            new = verb(old)
        except Conflict:
            return
        if new is old:
            return
        events, op = events_of(old, new), self._next("op")
        self.call(lambda backend: backend.tasks.replace(old, new, events, approvals=changes, op=op))
        self.model.swap(new, changes, events)
        self.swaps[id] = old, new, events, changes, op

    def _claim(self, task: Task, worker: WorkerId) -> _Spoken:
        nonce = self._next("n")
        self.apply(
            task.id,
            lambda task: verbs.claim(task, worker=worker, principal="p", now=self.now, terms=TERMS, nonce=nonce),
        )
        return task.id, word(self.model.tasks[task.id].grant)

    def _speaker(self, grant: _Spoken, late: bool) -> _Spoken:
        """Who had this grant, or who holds the task now."""
        id, _ = grant
        holder = self.model.tasks[id].holder
        return grant if late or holder is None else (id, word(holder))

    def _one(self, condition: Callable[[Task], bool], which: int) -> Task:
        """One of the tasks of which this is true."""
        found = self.model.where(condition)
        return found[which % len(found)]

    def _is_yet_due(self, task: Task) -> bool:
        return task.due_at is not None and task.due_at >= self.now

    def _answer(self, asked: Approval, answered: Approval) -> None:
        others = [self.model.approvals[id] for id in self.model.tasks[asked.task].awaiting if id != asked.id]
        deadline = min((approval.deadline for approval in others), default=None)
        self.apply(
            asked.task,
            lambda task: verbs.answer(task, asked.id, self.now, next_deadline=deadline),
            ApprovalChange(asked, answered),
        )

    def _when_due(self, task: Task) -> None:
        """What maintenance does about a task whose time has come."""
        now, grant = self.now, task.holder
        late = [asked for id in task.awaiting if (asked := self.model.approvals[id]).deadline <= now]
        if late:
            for asked in late:
                self._answer(asked, approving.expire(asked, now))
        elif task.not_before is not None and task.not_before <= now:
            self.apply(task.id, lambda task: verbs.wake(task, now))
        elif task.state is TaskState.PENDING or (grant is not None and grant.run_deadline <= now):
            self.apply(task.id, lambda task: verbs.expire(task, now, reason="deadline", error="too late"))
        else:
            self.apply(task.id, lambda task: verbs.lapse(task, now))

    def _next(self, prefix: str) -> str:
        self.serial += 1
        return f"{prefix}{self.serial:06}"
