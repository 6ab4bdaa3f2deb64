"""What the holder of a task asks: a policy first, where it says what for, then a human."""

from __future__ import annotations

from datetime import datetime

from attrs import evolve, frozen

from codetether_core.access import Verdict
from codetether_core.approvals import Approval, ApprovalState, judged
from codetether_core.errors import IdempotencyMismatch, NotFound
from codetether_core.ids import ApprovalId, TaskId, TenantId, derived_id, new_id, room_of
from codetether_core.ports import ApprovalChange, Clock, Entropy, TaskStore
from codetether_core.redaction import rewritten
from codetether_core.services.judging import Judging
from codetether_core.services.questions import Question, asked
from codetether_core.services.redaction import Redaction
from codetether_core.services.reporting import Reporting
from codetether_core.services.swapping import until_swapped
from codetether_core.services.task_writer import TaskWriter
from codetether_core.tasks import LeaseTerms, Task, Word, ask, consult, held_by

__all__ = ["Asking"]


@frozen
class Asking:
    """A holder's questions. Each carries the grant; a superseded one is refused with ``StaleLease``."""

    writer: TaskWriter
    tasks: TaskStore
    reporting: Reporting
    judging: Judging
    redaction: Redaction
    clock: Clock
    entropy: Entropy
    terms: LeaseTerms

    async def ask(
        self, tenant: TenantId, word: Word, id: TaskId, question: Question, *, key: str = ""
    ) -> tuple[Task, Approval]:
        """The holder asks; the answer is awaited while it holds the task, or after it has given it back.

        Where the policy answers, the approval is returned with that, and the holder goes on; ``DeniedByPolicy`` if it
        says no and the question has no such answer. The same ``key`` under the same grant is the same question, whose
        approval is returned as it stands; ``IdempotencyMismatch`` where that was about something else.
        """
        operation = self.entropy.bytes(12).hex()
        question, verdict = await self._judged(tenant, word, id, question)

        async def attempt() -> tuple[Task, Approval]:
            now = self.clock.now()
            task = await self.tasks.get(tenant, id)
            approval_id = self._approval_id(task, key, now)
            known = await self._asked_before(task, word, approval_id) if key else None
            if known is not None:
                if (known.kind, known.tool) != (question.kind, question.tool):
                    raise IdempotencyMismatch(
                        "The key was used for another question", hint="use a new key", id=known.id
                    )
                return task, known
            approval = asked(question, approval_id, held_by(task, word, now, self.terms), now)
            if verdict is not None:
                approval = judged(approval, verdict, now)
            if approval.state is ApprovalState.OPEN and not approval.held:
                await self.reporting.finish(tenant, word, id)
                task = await self.tasks.get(tenant, id)  # which may have renewed it
            new = self._after(task, word, approval, now)
            changes = [ApprovalChange(None, approval), *await self.writer.withdrawals(task, new)]
            await self.writer.swap(task, new, changes, operation)
            return new, approval

        return await until_swapped(attempt, "task", id)

    async def _judged(
        self, tenant: TenantId, word: Word, id: TaskId, question: Question
    ) -> tuple[Question, Verdict | None]:
        """The policy's verdict, and the question as the policy was told of it: the tool without registered secrets."""
        if question.tool is None:
            return question, None
        tool = rewritten(question.tool, (await self.redaction.of(tenant)).whole)
        verdict = await self.judging.verdict(await self.tasks.get(tenant, id), word, tool)
        return evolve(question, tool=tool), verdict

    def _after(self, task: Task, word: Word, approval: Approval, now: datetime) -> Task:
        if approval.state is ApprovalState.ANSWERED:
            return consult(task, word, now, self.terms)
        return ask(task, word, now, self.terms, approval=approval.id, deadline=approval.deadline, held=approval.held)

    def _approval_id(self, task: Task, key: str, now: datetime) -> ApprovalId:
        room = room_of(task.tenant, task.spec.codebase)
        if not key:
            return ApprovalId(new_id("apr", now, self.entropy.bytes(16), room=room))
        grant = task.grant.token if task.grant else ""
        return ApprovalId(derived_id("apr", task.id, grant, key, room=room))

    async def _asked_before(self, task: Task, word: Word, id: ApprovalId) -> Approval | None:
        """The approval of that id, if there is one and the word is its grant's."""
        try:
            known = await self.writer.approvals.get(task.tenant, id)
        except NotFound:
            return None
        if task.grant is not None:
            task.grant.fence(word)
        return known
