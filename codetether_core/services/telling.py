"""Putting a run's output into the log, without the secrets that are in it, however it is cut.

What may be the beginning of a secret is held back, for each stream of a run, with the head of its output: the next
piece goes on from there, at whatever replica it comes in. It is encrypted, since it may be all but the end of one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial

from attrs import astuple, evolve, frozen

from codetether_core.errors import VersionConflict
from codetether_core.events import Guard, HeadSwap, OutputHead
from codetether_core.ids import TaskId, TenantId
from codetether_core.ports import Clock, EventLog
from codetether_core.redaction import Held, Redactor
from codetether_core.services.encryption import Encryption
from codetether_core.services.redaction import Redaction
from codetether_core.services.swapping import until_swapped
from codetether_core.tasks import Grant, OutputChunk, RedactedOutput, Task, output_event
from codetether_core.tasks.output import understood

__all__ = ["Speech", "Telling"]


@frozen
class Speech:
    """Who speaks of which task; ``trailing`` is what comes after a cancel."""

    task: Task
    grant: Grant
    trailing: bool = False


@frozen
class Telling:
    """Appends output under the fence of its task."""

    log: EventLog
    clock: Clock
    redaction: Redaction
    encryption: Encryption

    async def tell(self, speech: Speech, chunks: Sequence[OutputChunk], first: int | None) -> None:
        """Append what is new of the chunks, of which the first has that ordinal; ``StaleLease``."""
        redactor = await self.redaction.of(speech.task.tenant)
        if not redactor:
            guard = Guard(speech.task.tenant, speech.task.id, speech.task.fence, first)
            with suppress(VersionConflict):  # something was held back while there were secrets
                return await self._append(speech, chunks, guard)
        await until_swapped(partial(self._tell_clean, redactor, speech, chunks, first), "output", speech.task.id)

    async def finish(self, speech: Speech) -> None:
        """Append what is held back: nothing follows."""
        redactor = await self.redaction.of(speech.task.tenant)
        await until_swapped(partial(self._tell_rest, redactor, speech), "output", speech.task.id)

    async def holds_back(self, tenant: TenantId, task: TaskId) -> bool:
        """Whether there is something to finish."""
        return bool((await self.log.output_head(tenant, task)).held)

    async def _tell_clean(
        self, redactor: Redactor, speech: Speech, chunks: Sequence[OutputChunk], first: int | None
    ) -> None:
        task, fence = speech.task, Guard(speech.task.tenant, speech.task.id, speech.task.fence)
        found = await self.log.output_head(task.tenant, task.id)
        head = found if found.grant == fence.grant else OutputHead(fence.grant)
        known = 0 if first is None else max(head.following - first, 0)
        following = head.following if first is None else max(first + len(chunks), head.following)
        redacted = RedactedOutput(redactor, await self._opened(task.tenant, task.id, head.held))
        told = [redacted.feed(evolve(chunk, event=understood(chunk))) for chunk in chunks[known:]]
        new = OutputHead(fence.grant, following, await self._sealed(task.tenant, task.id, redacted.held))
        await self._append(speech, [chunk for chunk in told if chunk], evolve(fence, swap=HeadSwap(found, new)))

    async def _tell_rest(self, redactor: Redactor, speech: Speech) -> None:
        task, fence = speech.task, Guard(speech.task.tenant, speech.task.id, speech.task.fence)
        head = await self.log.output_head(task.tenant, task.id)
        if head.grant == fence.grant and head.held:
            redacted = RedactedOutput(redactor, await self._opened(task.tenant, task.id, head.held))
            await self._append(speech, redacted.end(), evolve(fence, swap=HeadSwap(head, evolve(head, held=""))))

    async def _append(self, speech: Speech, chunks: Sequence[OutputChunk], guard: Guard) -> None:
        now = self.clock.now()
        events = [output_event(speech.task, speech.grant, chunk, now, trailing=speech.trailing) for chunk in chunks]
        await self.log.append(events, guard)

    async def _sealed(self, tenant: TenantId, task: TaskId, held: Mapping[str, Held]) -> str:
        kept = {stream: astuple(each) for stream, each in held.items() if each.text}
        if not kept:
            return ""
        return await self.encryption.encrypt(tenant, json.dumps(kept).encode(), "held", task)

    async def _opened(self, tenant: TenantId, task: TaskId, held: str) -> dict[str, Held]:
        if not held:
            return {}
        kept = json.loads(await self.encryption.decrypt(tenant, held, "held", task))
        return {stream: Held(*each) for stream, each in kept.items()}
