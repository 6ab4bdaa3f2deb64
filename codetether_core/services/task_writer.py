"""The one way in which services change a task: read, pure verb, swap, and again if somebody was faster."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from attrs import field, frozen

from codetether_core import codec
from codetether_core.approvals import Approval, ApprovalState, withdraw
from codetether_core.events import Event, Topic
from codetether_core.ids import TaskId, TenantId
from codetether_core.ports import ApprovalChange, ApprovalStore, Clock, Entropy, TaskStore
from codetether_core.services.swapping import until_swapped
from codetether_core.tasks import CHANGE_KINDS, OUTPUT_KINDS, Task, change

__all__ = ["TASK_KINDS", "TaskWriter", "approval_event"]

Verb = Callable[[Task], Task]

_APPROVAL_KINDS: Final = (
    "approval.asked",
    "approval.answered",
    "approval.judged",
    "approval.expired",
    "approval.withdrawn",
)

TASK_KINDS: Final = (*CHANGE_KINDS, *OUTPUT_KINDS, *_APPROVAL_KINDS)
"""The kinds of all events that a task's topic has."""


@frozen
class TaskWriter:
    """Applies verbs to stored tasks. ``observers`` are told each new value, in this process only: a hint, no record."""

    tasks: TaskStore
    approvals: ApprovalStore
    clock: Clock
    entropy: Entropy
    observers: list[Callable[[Task], None]] = field(factory=list)

    async def add(self, task: Task) -> None:
        """Keep a new task; ``AlreadyExists`` if its id is taken."""
        await self.tasks.add(task, self._events(None, task))
        self._tell(task)

    async def apply(self, tenant: TenantId, id: TaskId, verb: Verb) -> Task:
        """The task after the verb. One that returns the same value writes nothing; what it raises goes through.

        Approvals that the verb dropped from ``awaiting`` die with their grant and are withdrawn in the same swap.
        """
        operation = self.entropy.bytes(12).hex()

        async def attempt() -> Task:
            old = await self.tasks.get(tenant, id)
            new = verb(old)
            if new is not old:
                await self.swap(old, new, await self.withdrawals(old, new), operation)
            return new

        return await until_swapped(attempt, "task", id)

    async def swap(self, old: Task, new: Task, approvals: Sequence[ApprovalChange], operation: str) -> None:
        """Write ``new`` over ``old`` with its approvals and events; ``VersionConflict`` if somebody was faster."""
        events = self._events(old, new) + [approval_event(each.new) for each in approvals]
        await self.tasks.replace(old, new, events, approvals=approvals, op=operation)
        self._tell(new)

    async def withdrawals(self, old: Task, new: Task) -> list[ApprovalChange]:
        """The open approvals that ``old`` awaits and ``new`` no longer does, withdrawn."""
        changes: list[ApprovalChange] = []
        for id in old.awaiting:
            if id not in new.awaiting:
                approval = await self.approvals.get(old.tenant, id)
                if approval.state is ApprovalState.OPEN:
                    changes.append(ApprovalChange(approval, withdraw(approval, new.updated_at)))
        return changes

    def _events(self, old: Task | None, new: Task) -> list[Event]:
        event = change(old, new)
        return [event] if event else []

    def _tell(self, task: Task) -> None:
        for observer in self.observers:
            observer(task)


def approval_event(approval: Approval) -> Event:
    """What the log says of an approval: asked, how it ended, or that a policy answered and nobody was asked."""
    kind = "approval.asked" if approval.state is ApprovalState.OPEN else f"approval.{approval.state}"
    if approval.judged:
        kind = "approval.judged"
    data: dict[str, Any] = codec.dump(approval)
    data |= {"approval_id": approval.id, "task_id": approval.task, "codebase_id": approval.codebase}
    del data["grant"], data["reply"]
    at = approval.ended_at or approval.created_at
    return Event(Topic.task(approval.tenant, approval.codebase, approval.task), kind, at, data)
