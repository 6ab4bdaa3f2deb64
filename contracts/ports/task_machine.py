"""A machine that drives a task store and a model side by side, and compares them after every step.

The model is a dictionary and the pure verbs of ``codetether_core.tasks``; whatever a rule does to it, it does to the
store by compare-and-swap. Old grants stay among those that may speak: staleness is the point. Time jumps exactly to
deadlines and a microsecond to either side, for random time never hits a boundary.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from attrs import evolve
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, initialize, invariant, multiple, precondition, rule

from codetether_core import approvals as approving
from codetether_core import tasks as verbs
from codetether_core.access import Decision, Verdict
from codetether_core.approvals import Approval, ApprovalKind, Option
from codetether_core.errors import AlreadyExists, StaleLease, VersionConflict
from codetether_core.events import Guard
from codetether_core.ids import ApprovalId, CodebaseId, TaskId, TenantId, WorkerId
from codetether_core.ports import ApprovalChange, Backend
from codetether_core.tasks import Task, TaskState, Word
from contracts.ports.samples import MICROSECOND, SECOND, TERMS, new_task, output, word
from contracts.ports.task_driver import Spoken, TaskDriver, is_held
from contracts.ports.task_model import ALL, HOLDING, TENANTS, WORKERS

__all__ = ["TaskStoreMachine"]

_CODEBASES: Final = (CodebaseId("cb1"), CodebaseId("cb2"))
_OPEN: Final = 5
"""Tasks that have not ended, at most: few enough that each has a story."""

_FEW: Final = st.integers(0, 3)
_LATE: Final = st.sampled_from([False, False, True])

_WHICH: Final = st.integers(0, 9)
"""Which of several things to do something to."""


class TaskStoreMachine(TaskDriver):
    """The rules; its ``TestCase`` is the test."""

    ids = Bundle("ids")
    grants = Bundle("grants")

    @initialize(target=grants, worker=st.sampled_from(WORKERS), max_attempts=st.integers(1, 3))
    def begin(self, worker: WorkerId, max_attempts: int) -> Spoken:
        """With a task that runs, and one that may be claimed."""
        self.add(new_task(self.next_name("t"), at=self.now, codebase=_CODEBASES[0]))
        self.add(
            new_task(self.next_name("t"), at=self.now, codebase=_CODEBASES[0], max_attempts=max_attempts, priority=1)
        )
        return self.claim(self.model.where(lambda task: task.spec.priority == 1)[0], worker)

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
            self.next_name("t"),
            tenant=tenant,
            at=self.now,
            codebase=codebase,
            priority=priority,
            target_worker=target_worker,
            required_capabilities=capabilities,
            max_attempts=max_attempts,
            start_by=None if start_by is None else self.now + start_by * SECOND,
        )
        self.add(task)
        return task.id

    @rule(id=ids)
    def cancel(self, id: TaskId) -> None:
        self.apply(id, lambda task: verbs.cancel(task, self.now, by="somebody"))

    @precondition(lambda self: self.model.where(lambda task: task.state in HOLDING))
    @rule(which=_WHICH)
    def requeue(self, which: int) -> None:
        task = self.one(lambda task: task.state in HOLDING, which)
        self.apply(task.id, lambda task: verbs.requeue(task, self.now))

    @precondition(lambda self: self.model.where(lambda task: task.ended))
    @rule(which=_WHICH)
    def review(self, which: int) -> None:
        self.apply(self.one(lambda task: task.ended, which).id, lambda task: verbs.review(task, self.now))

    @precondition(lambda self: self.model.where(lambda task: task.ended))
    @rule(which=_WHICH)
    def erase_what_has_ended(self, which: int) -> None:
        self.erase(self.one(lambda task: task.ended, which))

    @precondition(lambda self: self.model.where(lambda task: bool(task.awaiting)))
    @rule(which=_WHICH)
    def answer(self, which: int) -> None:
        task = self.one(lambda task: bool(task.awaiting), which)
        asked = self.model.approvals[task.awaiting[which % len(task.awaiting)]]
        if self.now < asked.deadline:
            self.answer_question(asked, approving.answer(asked, self.now, by="somebody", choice="yes"))

    # ------------------------------------------------------------------ what workers do

    @precondition(lambda self: self.model.where(lambda task: task.ready))
    @rule(target=grants, worker=st.sampled_from(WORKERS), which=_WHICH)
    def claim_next(self, worker: WorkerId, which: int) -> Spoken | MultipleResults[Spoken]:
        """Whatever the store offers; whether this worker may have it, or still may, is no matter of the store's."""

        async def offered(backend: Backend) -> Sequence[Task]:
            lanes = [lane for tenant in TENANTS for lane in await backend.tasks.lanes(tenant, limit=ALL)]
            return await backend.tasks.ready(lanes, 2)

        offers = self.call(offered)
        task = offers[which % len(offers)]
        start_by = task.spec.start_by
        if task.grant is None and start_by is not None and start_by <= self.now:
            return multiple()
        return self.claim(task, worker)

    @precondition(lambda self: self.model.where(is_held))
    @rule(grant=grants, late=_LATE)
    def renew(self, grant: Spoken, late: bool) -> None:
        id, said = self.speaker(grant, late)
        self.apply(id, lambda task: verbs.renew(task, said, self.now, TERMS))

    @precondition(lambda self: self.model.where(is_held))
    @rule(
        grant=grants,
        late=_LATE,
        count=st.integers(1, 3),
        back=st.integers(0, 2),
        mark=st.sampled_from(["", "", "/cancelled"]),
    )
    def speak(self, grant: Spoken, late: bool, count: int, back: int, mark: str) -> None:
        """Output, with up to ``back`` events that were sent before."""
        id, said = self.speaker(grant, late)
        token = str(said.token)
        fence = f"{token}{mark}"
        following = self.ordinals.get(token, 0)
        first = max(following - back, 0)
        events = output(self.model.tasks[id], *(f"{fence}:{ordinal}" for ordinal in range(first, first + count)))
        guard = Guard(self.model.tasks[id].tenant, id, fence, first)
        if self.model.tasks[id].fence != fence:
            self.refused(StaleLease, lambda backend: backend.log.append(events, guard))
            return
        self.call(lambda backend: backend.log.append(events, guard))
        self.model.expected += events[following - first :]
        self.ordinals[token] = max(following, first + count)

    @precondition(lambda self: self.model.where(is_held))
    @rule(grant=grants, late=_LATE, held=st.booleans(), patience=st.integers(1, 200))
    def ask(self, grant: Spoken, late: bool, held: bool, patience: int) -> None:
        id, said = self.speaker(grant, late)
        question = self._question(id, said, held, patience)
        self.apply(
            id,
            lambda task: verbs.ask(
                task, said, self.now, TERMS, approval=question.id, deadline=question.deadline, held=held
            ),
            ApprovalChange(None, question),
        )

    @precondition(lambda self: self.model.where(is_held))
    @rule(grant=grants, late=_LATE, decision=st.sampled_from([Decision.ALLOW, Decision.DENY]))
    def ask_what_a_policy_answers(self, grant: Spoken, late: bool, decision: Decision) -> None:
        """The approval comes with its answer, and nobody waits for it."""
        id, said = self.speaker(grant, late)
        question = self._question(id, said, True, 1)
        answered = approving.judged(question, Verdict(decision=decision, rule="r"), self.now)
        self.apply(id, lambda task: verbs.consult(task, said, self.now, TERMS), ApprovalChange(None, answered))

    @precondition(lambda self: self.model.where(is_held))
    @rule(grant=grants, late=_LATE)
    def complete(self, grant: Spoken, late: bool) -> None:
        id, said = self.speaker(grant, late)
        self.apply(id, lambda task: verbs.complete(task, said, self.now, TERMS, result="done"))

    @precondition(lambda self: self.model.where(is_held))
    @rule(grant=grants, late=_LATE, retry_after=st.sampled_from([None, 0, 45]))
    def fail(self, grant: Spoken, late: bool, retry_after: int | None) -> None:
        id, said = self.speaker(grant, late)
        wait = None if retry_after is None else timedelta(seconds=retry_after)
        self.apply(id, lambda task: verbs.fail(task, said, self.now, TERMS, error="no", retry_after=wait))

    @precondition(lambda self: self.model.where(is_held))
    @rule(grant=grants, late=_LATE)
    def release(self, grant: Spoken, late: bool) -> None:
        id, said = self.speaker(grant, late)
        self.apply(id, lambda task: verbs.release(task, said, self.now, TERMS))

    @precondition(lambda self: self.model.where(lambda task: not task.stopped))
    @rule(which=_WHICH)
    def confirm_stop(self, which: int) -> None:
        task = self.one(lambda task: not task.stopped, which)
        self.apply(task.id, lambda task: verbs.confirm_stop(task, word(task.grant), self.now))

    def _question(self, id: TaskId, said: Word, held: bool, patience: int) -> Approval:
        task = self.model.tasks[id]
        return Approval(
            id=ApprovalId(self.next_name("a")),
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

    # ------------------------------------------------------------------ what time does

    @rule(seconds=st.integers(1, 120))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @precondition(lambda self: self.model.where(self.is_yet_due))
    @rule(which=_WHICH, offset=st.sampled_from([-1, 0, 0, 1]))
    def time_reaches_a_deadline(self, which: int, offset: int) -> None:
        due = self.one(self.is_yet_due, which).due_at
        assert due is not None
        self.now = max(self.now, due + offset * MICROSECOND)

    @precondition(lambda self: self.model.where(lambda task: task.due_at is not None and task.due_at <= self.now))
    @rule()
    def reap(self) -> None:
        for due in self.call(lambda backend: backend.tasks.overdue(self.now, ALL)):
            self.when_due(self.model.tasks[due.id])

    # ------------------------------------------------------------------ what races and faults do

    @rule(id=ids, off=st.sampled_from([-1, 1]))
    def what_comes_too_late_changes_nothing(self, id: TaskId, off: int) -> None:
        """A swap from another version, an add of what is there, and the last swap again: the reply to it was lost.

        So it is of what was erased, and whoever held it says no more.
        """
        task = self.model.tasks.get(id) or self.model.erased[id]
        other = Task.new(id, task.tenant, task.spec, created_by="x", now=self.now)
        stale, written = (evolve(other, version=task.version + raised) for raised in (off, off + 1))
        events, op = output(task, "never"), self.next_name("op")
        self.refused(VersionConflict, lambda backend: backend.tasks.replace(stale, written, events, op=op))
        self.refused(AlreadyExists, lambda backend: backend.tasks.add(other, events))
        if id in self.model.erased:
            guard = Guard(task.tenant, id, task.fence)
            self.refused(StaleLease, lambda backend: backend.log.append(events, guard))
        if id in self.swaps:
            old, new, told, changes, done = self.swaps[id]
            self.call(lambda backend: backend.tasks.replace(old, new, told, approvals=changes, op=done))
            self.refused(
                VersionConflict, lambda backend: backend.tasks.replace(old, new, told, approvals=changes, op=op)
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
