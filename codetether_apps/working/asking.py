"""What a run's agent asks people while it works: under the lease, which goes on being renewed meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from secrets import token_hex

from attrs import frozen

from codetether_adapters.client import ApprovalView, AsyncClient
from codetether_apps.holding.verdicts import Ending, Persistence, verdict
from codetether_core.errors import CodeTetherError, DeniedByPolicy
from codetether_core.ports import Answer, Inquiry

__all__ = ["Asking"]


@frozen(kw_only=True)
class Asking:
    """The questions of the run that holds ``task`` by ``lease``; ``clean`` takes its secrets out of what is asked.

    ``end`` is told when a refusal says that the run no longer counts. Nobody answers then, and the asker is cancelled
    with the run.
    """

    worker_id: str
    task: str
    lease: str
    client: AsyncClient
    persistence: Persistence
    clean: Callable[[Inquiry], Inquiry]
    end: Callable[[Ending], None]

    async def ask(self, inquiry: Inquiry) -> Answer:
        """Ask once, however often that has to be said, and wait for as long as people may take."""
        asked = self.clean(inquiry)
        try:
            approval = await self._settled(asked)
        except CodeTetherError as error:
            ending = verdict(error)
            if ending is None:
                raise
            self.end(ending)
            await asyncio.Event().wait()  # where the cancellation arrives
            raise
        return Answer(question=asked.prompt, choice=approval.choice, text=approval.text)

    async def _settled(self, asked: Inquiry) -> ApprovalView:
        key = token_hex(16)
        words = self.client.worker

        async def say() -> ApprovalView | DeniedByPolicy:
            try:
                return await words.ask(
                    self.worker_id,
                    self.task,
                    self.lease,
                    asked.prompt,
                    kind=asked.kind,
                    options=asked.options,
                    tool=asked.tool,
                    key=key,
                )
            except DeniedByPolicy as denied:  # an answer: other denials of permission may pass
                return denied

        told = await self.persistence.answer(say)
        if isinstance(told, DeniedByPolicy):
            raise told
        return await self.persistence.answer(lambda: words.wait_for(told.id))
