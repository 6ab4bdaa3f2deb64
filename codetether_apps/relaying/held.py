"""What the holder of a task says while an agent elsewhere does it (a ``Holder``)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from secrets import token_hex
from typing import Final

from attrs import define, field

from codetether_apps.holding.verdicts import Persistence
from codetether_core.approvals import Approval, ApprovalKind, ApprovalState
from codetether_core.events import Topic
from codetether_core.ports import RunFailed
from codetether_core.services import Question, Services
from codetether_core.tasks import Delegation, OutputChunk, Task, Word

__all__ = ["Held"]

_LONGEST_PROMPT: Final = 16 * 1024
_ASKED: Final = "question_id"
_LOOK_EVERY: Final = timedelta(seconds=5)
"""A wake-up may be lost."""


@define(eq=False, kw_only=True)
class Held:
    """One task, held by this ``word``. Output goes where ``say`` takes it."""

    services: Services
    task: Task
    word: Word
    persistence: Persistence
    say: Callable[[OutputChunk], Awaitable[None]]
    delegation: Delegation | None = field(init=False)
    placed: asyncio.Event = field(factory=asyncio.Event, init=False)
    """The agent has told what it calls the task."""

    def __attrs_post_init__(self) -> None:
        self.delegation = self.task.delegation
        self._look()

    async def note(self, delegation: Delegation) -> None:
        """In the task itself, under its fence; what the agent calls it we know also if nobody wants it any more."""
        if delegation.task is not None:
            self.delegation = delegation
            self._look()
        tenant, reporting = self.task.tenant, self.services.reporting
        await self.persistence.answer(lambda: reporting.delegate(tenant, self.word, self.task.id, delegation))
        self.delegation = delegation

    async def emit(self, chunk: OutputChunk) -> None:
        """As output of the run."""
        await self.say(chunk)

    async def attach(self, name: str, media_type: str, data: bytes) -> None:
        """As a file of the task."""
        tenant, attaching = self.task.tenant, self.services.attaching
        await self.persistence.answer(lambda: attaching.attach(tenant, self.word, self.task.id, name, media_type, data))

    async def ask(self, prompt: str, kind: ApprovalKind, id: str) -> str:
        """The lease is kept meanwhile, by whoever keeps it."""
        tenant, asking = self.task.tenant, self.services.asking
        if (said := await self._said_before(id)) is not None:
            return said
        question = Question(prompt=prompt[:_LONGEST_PROMPT], kind=kind, details={_ASKED: id})
        key = token_hex(16)
        _, approval = await self.persistence.answer(
            lambda: asking.ask(tenant, self.word, self.task.id, question, key=key)
        )
        settled = await self._settled(approval)
        if settled.state is ApprovalState.ANSWERED and settled.text:
            return settled.text
        raise RunFailed("Nobody answered in time what the agent asked", "question_unanswered")

    async def output(self, chunks: Sequence[OutputChunk], first: int) -> None:
        """Have it in the log."""
        await self.services.reporting.output(self.task.tenant, self.word, self.task.id, chunks, first=first)

    async def _said_before(self, id: str) -> str | None:
        """What an earlier holder was answered, and may not have lived to tell the agent."""
        approvals, task = self.services.backend.approvals, self.task
        known = await self.persistence.answer(lambda: approvals.list(task.tenant, task=task.id))
        answered = [each for each in known if each.state is ApprovalState.ANSWERED and each.details.get(_ASKED) == id]
        return answered[0].text if answered else None

    async def _settled(self, approval: Approval) -> Approval:
        task, approvals = self.task, self.services.backend.approvals
        with self.services.backend.notifier.listen(Topic.task(task.tenant, task.spec.codebase, task.id)) as bell:
            while True:
                known = await self.persistence.answer(lambda: approvals.get(task.tenant, approval.id))
                if known.state is not ApprovalState.OPEN:
                    return known
                await bell.wait(_LOOK_EVERY)

    def _look(self) -> None:
        if self.delegation is not None and self.delegation.task is not None:
            self.placed.set()
