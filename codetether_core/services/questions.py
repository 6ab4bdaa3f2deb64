"""Questions that agents ask, and the answers: list, answer, expire."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from attrs import Factory, frozen

from codetether_core.access import Principal, ToolUse
from codetether_core.approvals import Approval, ApprovalKind, ApprovalState, Option, answer, expire
from codetether_core.errors import Conflict, StaleLease
from codetether_core.ids import ApprovalId, TaskId, TenantId
from codetether_core.ports import ApprovalChange, ApprovalStore, Clock, Entropy, TaskStore
from codetether_core.services.redaction import Redaction
from codetether_core.services.swapping import until_swapped
from codetether_core.services.task_writer import TaskWriter
from codetether_core.tasks import Task, Trigger
from codetether_core.tasks import answer as answer_task
from codetether_core.tasks import expire as expire_task

__all__ = ["Question", "Questions", "asked"]

_SETTLED: Final = frozenset({ApprovalState.ANSWERED, ApprovalState.EXPIRED})


@frozen(kw_only=True)
class Question:
    """What a holder asks. ``held`` keeps its grant while it waits; ``timeout`` is the time people have to answer.

    A permission may say for which use of a ``tool`` it is wanted; a policy judges that first.
    """

    prompt: str
    kind: ApprovalKind = ApprovalKind.QUESTION
    options: tuple[Option, ...] = ()
    held: bool = True
    timeout: timedelta = timedelta(hours=24)
    details: Mapping[str, Any] = Factory(dict[str, Any])
    tool: ToolUse | None = None


def asked(question: Question, id: ApprovalId, task: Task, now: datetime) -> Approval:
    """The open approval of a question that the task's present holder asks."""
    return Approval(
        id=id,
        tenant=task.tenant,
        task=task.id,
        codebase=task.spec.codebase,
        grant=task.grant.token if task.grant else "",
        kind=question.kind,
        prompt=question.prompt,
        created_at=now,
        deadline=now + question.timeout,
        held=question.held,
        options=question.options,
        details=question.details,
        tool=question.tool,
    )


@frozen
class Questions:
    """Approvals and their answers. The approval and its task are swapped together, so one answer wins."""

    writer: TaskWriter
    tasks: TaskStore
    approvals: ApprovalStore
    clock: Clock
    entropy: Entropy
    redaction: Redaction

    async def find(
        self, principal: Principal, *, task: TaskId | None = None, state: ApprovalState | None = None, limit: int = 100
    ) -> Sequence[Approval]:
        """The tenant's approvals, newest first."""
        return await self.approvals.list(principal.tenant, task=task, state=state, limit=limit)

    async def get(self, principal: Principal, id: ApprovalId) -> Approval:
        """One approval; ``NotFound``."""
        return await self.approvals.get(principal.tenant, id)

    async def sole(self, principal: Principal, task: TaskId) -> Approval:
        """The one open approval of a task; ``Conflict`` if there is none, or more than one."""
        found = await self.approvals.list(principal.tenant, task=task, state=ApprovalState.OPEN, limit=2)
        if len(found) != 1:
            await self.tasks.get(principal.tenant, task)
            problem = "asks nothing" if not found else "asks more than one thing"
            raise Conflict(f"The task {problem}", hint="name the approval_id", id=task)
        return found[0]

    async def answer(
        self,
        principal: Principal,
        id: ApprovalId,
        *,
        choice: str | None = None,
        text: str | None = None,
        reply: Mapping[str, Any] | None = None,
        reply_key: str | None = None,
    ) -> Approval:
        """Answer it; ``AlreadyAnswered`` names who was faster, ``Invalid`` what is not offered, or tells a secret.

        ``reply`` is the message that says so, where a protocol has one: it is kept with the approval, and so is its
        ``reply_key``, by which whoever sends it again can be told from whoever says something new.
        """
        await self.redaction.refuse(principal.tenant, text=text, reply=reply)

        def verb(approval: Approval, now: datetime) -> Approval:
            return answer(approval, now, by=principal.name, choice=choice, text=text, reply=reply, reply_key=reply_key)

        return await self._settle(principal.tenant, id, verb)

    async def expire_due(self, task: Task) -> None:
        """End every approval of the task whose deadline has passed."""
        for id in task.awaiting:
            approval = await self.approvals.get(task.tenant, id)
            if approval.state is ApprovalState.OPEN and approval.deadline <= self.clock.now():
                await self._settle(task.tenant, id, expire)

    async def answers(self, task: Task) -> Sequence[Approval]:
        """What was answered, or ran out, to questions that earlier runs of the task parked; oldest first."""
        if all(attempt.ending is not Trigger.ASK_PARKED for attempt in task.attempts):
            return ()
        known = await self.approvals.list(task.tenant, task=task.id)
        return [each for each in reversed(known) if not each.held and each.state in _SETTLED]

    async def _settle(
        self, tenant: TenantId, id: ApprovalId, verb: Callable[[Approval, datetime], Approval]
    ) -> Approval:
        operation = self.entropy.bytes(12).hex()

        async def attempt() -> Approval:
            now = self.clock.now()
            approval = await self.approvals.get(tenant, id)
            settled = verb(approval, now)
            task = await self.tasks.get(tenant, approval.task)
            if id not in task.awaiting:
                raise StaleLease("Nobody waits for this answer any more", id=id)
            new = await self._task_after(task, settled, now)
            changes = [ApprovalChange(approval, settled), *await self._others(task, new, settled)]
            await self.writer.swap(task, new, changes, operation)
            return settled

        return await until_swapped(attempt, "approval", id)

    async def _task_after(self, task: Task, settled: Approval, now: datetime) -> Task:
        """The task goes on with the answer; a parked one fails if its question expired without a way to refuse."""
        if settled.state is ApprovalState.EXPIRED and not settled.held and settled.choice is None:
            return expire_task(task, now, reason="question_unanswered", error="Nobody answered in time")
        deadlines = [(await self.approvals.get(task.tenant, id)).deadline for id in task.awaiting if id != settled.id]
        return answer_task(task, settled.id, now, next_deadline=min(deadlines, default=None))

    async def _others(self, task: Task, new: Task, settled: Approval) -> list[ApprovalChange]:
        return [change for change in await self.writer.withdrawals(task, new) if change.new.id != settled.id]
