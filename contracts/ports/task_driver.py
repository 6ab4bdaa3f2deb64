"""How a machine drives a task store: whatever it does to the model, it does to the store by compare-and-swap.

Every call is repeated while the store is unavailable, so the same machine runs over a store that fails before or after
it did what was asked.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias, TypeVar

from hypothesis.stateful import RuleBasedStateMachine

from codetether_core import approvals as approving
from codetether_core import tasks as verbs
from codetether_core.approvals import Approval
from codetether_core.errors import AlreadyExists, Conflict, NotFound, VersionConflict
from codetether_core.events import Event
from codetether_core.ids import TaskId, WorkerId
from codetether_core.ports import ApprovalChange, Backend
from codetether_core.tasks import CHANGE_KINDS, Task, TaskState, Word
from contracts.ports.harness import Host, insist, raises
from contracts.ports.samples import NOW, TERMS, end_of, word
from contracts.ports.task_model import Model, events_of

__all__ = ["Spoken", "TaskDriver", "is_held"]

T = TypeVar("T")

Spoken: TypeAlias = tuple[TaskId, Word]
"""A task, and how somebody presents himself who had or has it."""

Swap: TypeAlias = tuple[Task, Task, Sequence[Event], Sequence[ApprovalChange], str]


def is_held(task: Task) -> bool:
    """Whether somebody's words count."""
    return task.holder is not None


class TaskDriver(RuleBasedStateMachine):
    """A store, a model of it, and the time. Say in a subclass which store to ``open``."""

    def __init__(self) -> None:
        super().__init__()
        self.host = self.open()
        self.now = NOW
        self.serial = 0
        self.swaps: dict[TaskId, Swap] = {}
        self.ordinals: dict[str, int] = {}
        self.model = Model(self.call(lambda backend: backend.log.head()))

    def open(self) -> Host:
        """A new store for a run."""
        raise NotImplementedError

    def teardown(self) -> None:
        """Close the store."""
        self.host.close()

    def call(self, make: Callable[[Backend], Awaitable[T]]) -> T:
        """Call the store until there is an answer."""
        return self.host.run(insist(lambda: make(self.host.backend)))

    def refused(self, error: type[Exception], make: Callable[[Backend], Awaitable[object]]) -> None:
        """Call the store until it refuses; that nothing changed is for the invariants to see."""
        self.host.run(raises(error, insist(lambda: make(self.host.backend))))

    def add(self, task: Task) -> None:
        events = events_of(None, task)

        async def add(backend: Backend) -> None:
            try:
                await backend.tasks.add(task, events)
            except AlreadyExists:
                # The reply to an earlier try was lost.
                assert await backend.tasks.get(task.tenant, task.id) == task

        self.call(add)
        self.model.swap(task, (), events)

    def erase(self, task: Task) -> None:
        end = end_of(task)

        async def remove(backend: Backend) -> None:
            try:
                await backend.tasks.remove(task, [end])
            except VersionConflict:
                # The reply to an earlier try was lost.
                await raises(NotFound, backend.tasks.get(task.tenant, task.id))

        self.call(remove)
        self.model.erase(task, [end])
        self.swaps.pop(task.id, None)
        kinds = ["task.output", *CHANGE_KINDS, end.kind]
        assert [record.kind for record in self.call(lambda backend: backend.log.latest(end.topic, kinds, 2))] == [
            end.kind
        ]

    def apply(self, id: TaskId, verb: Callable[[Task], Task], *changes: ApprovalChange) -> None:
        """Do to the store what the verb does to the model, if it is legal; nothing is of what was erased."""
        old = self.model.tasks.get(id)
        if old is None:
            return
        try:
            new = verb(old)
        except Conflict:
            return
        if new is old:
            return
        events, op = events_of(old, new), self.next_name("op")
        self.call(lambda backend: backend.tasks.replace(old, new, events, approvals=changes, op=op))
        self.model.swap(new, changes, events)
        self.swaps[id] = old, new, events, changes, op

    def claim(self, task: Task, worker: WorkerId) -> Spoken:
        nonce = self.next_name("n")
        self.apply(
            task.id,
            lambda task: verbs.claim(task, worker=worker, principal="p", now=self.now, terms=TERMS, nonce=nonce),
        )
        return task.id, word(self.model.tasks[task.id].grant)

    def speaker(self, grant: Spoken, late: bool) -> Spoken:
        """Who has a grant now, or who had this one."""
        if late and grant[0] in self.model.tasks:
            return grant
        task = self.one(is_held, self.serial)
        return task.id, word(task.holder)

    def one(self, condition: Callable[[Task], bool], which: int) -> Task:
        """One of the tasks of which this is true."""
        found = self.model.where(condition)
        return found[which % len(found)]

    def is_yet_due(self, task: Task) -> bool:
        return task.due_at is not None and task.due_at >= self.now

    def answer_question(self, asked: Approval, answered: Approval) -> None:
        others = [self.model.approvals[id] for id in self.model.tasks[asked.task].awaiting if id != asked.id]
        deadline = min((approval.deadline for approval in others), default=None)
        self.apply(
            asked.task,
            lambda task: verbs.answer(task, asked.id, self.now, next_deadline=deadline),
            ApprovalChange(asked, answered),
        )

    def when_due(self, task: Task) -> None:
        """What maintenance does about a task whose time has come."""
        now, grant = self.now, task.holder
        late = [asked for id in task.awaiting if (asked := self.model.approvals[id]).deadline <= now]
        if late:
            for asked in late:
                self.answer_question(asked, approving.expire(asked, now))
        elif task.not_before is not None and task.not_before <= now:
            self.apply(task.id, lambda task: verbs.wake(task, now))
        elif task.state is TaskState.PENDING or (grant is not None and grant.run_deadline <= now):
            self.apply(task.id, lambda task: verbs.expire(task, now, reason="deadline", error="too late"))
        else:
            self.apply(task.id, lambda task: verbs.lapse(task, now))

    def next_name(self, prefix: str) -> str:
        self.serial += 1
        return f"{prefix}{self.serial:06}"
