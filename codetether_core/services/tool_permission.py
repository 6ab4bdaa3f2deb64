"""Whether a run may use a tool of a server elsewhere: the policy says so, or a human whom the holder waits for."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

from attrs import frozen

from codetether_core.access import Principal, ToolKind, ToolUse
from codetether_core.approvals import Approval, ApprovalKind, ApprovalState, Option, OptionKind
from codetether_core.errors import Conflict, DeniedByPolicy, PermissionDenied
from codetether_core.events import Topic
from codetether_core.ids import ApprovalId, TaskId, TenantId
from codetether_core.ports import ApprovalStore, Clock, Notifier, TaskStore
from codetether_core.services.asking import Asking
from codetether_core.services.questions import Question, Questions
from codetether_core.tasks import LeaseTerms, Task, Word, held_by

__all__ = ["ToolPermission", "tool_use"]

_ANSWER_BY: Final = timedelta(minutes=10)
"""For people to answer: no agent waits for a tool as long as for a word."""

_LOOK: Final = timedelta(seconds=5)
"""Between two looks, if nobody rings: a wake-up may be lost."""

_SHOWN: Final = 16 * 1024
"""Characters of arguments that people are shown whole."""

_YES: Final = Option(id="allow", label="Allow this once", kind=OptionKind.ALLOW_ONCE)
_NO: Final = Option(id="deny", label="Deny", kind=OptionKind.REJECT_ONCE)
_POLICY: Final = "policy:"


def tool_use(name: str) -> ToolUse:
    """What policies are told of a use: the arguments, which nobody understands, are for people."""
    return ToolUse(name=name, kind=ToolKind.OTHER)


@frozen
class ToolPermission:
    """Asks on behalf of a holder that keeps its grant meanwhile."""

    asking: Asking
    questions: Questions
    tasks: TaskStore
    approvals: ApprovalStore
    notifier: Notifier
    clock: Clock
    terms: LeaseTerms

    async def require(
        self,
        tenant: TenantId,
        word: Word,
        id: TaskId,
        name: str,
        arguments: Mapping[str, Any],
        asked: Callable[[ApprovalId], None],
    ) -> Approval:
        """The approval that allows one use of the tool of that ``name``.

        ``DeniedByPolicy``; ``PermissionDenied`` if somebody says no, or nobody anything in time; ``StaleLease`` once
        the grant no longer counts. ``asked`` is told which question people are asked, to be taken back by who waits no
        longer.
        """
        question = Question(
            prompt=f"Use the tool {name}?",
            kind=ApprovalKind.PERMISSION,
            options=(_YES, _NO),
            timeout=_ANSWER_BY,
            details=_shown(arguments),
            tool=tool_use(name),
        )
        task, approval = await self.asking.ask(tenant, word, id, question)
        if approval.state is ApprovalState.OPEN:
            asked(approval.id)
            approval = await self._ended(task, word, approval.id)
        if approval.choice != _YES.id:
            raise _refusal(approval)
        return approval

    async def take_back(self, tenant: TenantId, word: Word, id: ApprovalId) -> None:
        """Say no in the holder's name to what nobody waits for any more; what was answered meanwhile stays so."""
        with suppress(Conflict):
            await self.questions.answer(Principal(name=word.principal, tenant=tenant), id, choice=_NO.id)

    async def _ended(self, task: Task, word: Word, id: ApprovalId) -> Approval:
        """Listen, look, wait. A question that was asked under a grant is withdrawn with it."""
        with self.notifier.listen(Topic.task(task.tenant, task.spec.codebase, task.id)) as bell:
            while (approval := await self.approvals.get(task.tenant, id)).state is ApprovalState.OPEN:
                await bell.wait(_LOOK)
        task = await self.tasks.get(task.tenant, task.id)
        held_by(task, word, self.clock.now(), self.terms)
        return approval


def _refusal(approval: Approval) -> PermissionDenied:
    by = approval.answered_by or "nobody"
    if by.startswith(_POLICY):
        return DeniedByPolicy(by.removeprefix(_POLICY), approval.text or "")
    if approval.state is ApprovalState.EXPIRED:
        return PermissionDenied("Nobody allowed the use of the tool in time", hint="go on without it")
    return PermissionDenied(f"{by} does not allow the use of the tool", hint="go on without it", by=by)


def _shown(arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    written = json.dumps(arguments, ensure_ascii=False)
    if len(written) <= _SHOWN:
        return {"arguments": arguments}
    return {"arguments": f"{written[:_SHOWN]}…"}
