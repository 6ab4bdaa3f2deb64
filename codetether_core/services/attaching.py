"""Files that runs leave with their tasks: kept as blobs, named by the task."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import timedelta

from attrs import frozen

from codetether_core.access import Principal
from codetether_core.artifacts import Artifact, artifact_name, media_type
from codetether_core.errors import NotFound
from codetether_core.ids import TaskId, TenantId
from codetether_core.ports import BlobStore, Clock, TaskStore
from codetether_core.services.leaving import Leaving
from codetether_core.services.redaction import Redaction, cleaned
from codetether_core.services.references import in_time
from codetether_core.services.task_writer import TaskWriter
from codetether_core.tasks import LeaseTerms, Task, Word, artifact_of, attach, held_by

__all__ = ["Attaching"]


@frozen
class Attaching:
    """What a holder attaches and anybody who may read the task reads."""

    writer: TaskWriter
    tasks: TaskStore
    blobs: BlobStore
    leaving: Leaving
    clock: Clock
    terms: LeaseTerms
    redaction: Redaction

    async def attach(
        self, tenant: TenantId, word: Word, id: TaskId, name: str, media: str, data: bytes | AsyncIterable[bytes]
    ) -> Task:
        """Keep the bytes, then the file's name with the task, in place of what had that name.

        Registered secrets are taken out of them, as far as they are there in clear: not in an archive, say.
        ``StaleLease`` before anything is read for whoever does not hold the task, and again if that changed
        meanwhile. The same bytes under the same name again change nothing.
        """
        name, media = artifact_name(name), media_type(media)
        held_by(known := await self.tasks.get(tenant, id), word, self.clock.now(), self.terms)
        redactor = await self.redaction.of(tenant)
        blob = await self.blobs.put(tenant, cleaned(redactor, data) if redactor else data)
        put_at = self.clock.now()
        size = await self.blobs.size(tenant, blob)

        def attached(task: Task) -> Task:
            now = self.clock.now()
            in_time(put_at, now)
            attempt = task.grant.number if task.grant else 0
            made = Artifact(name=name, media_type=media, size=size, blob=blob, attempt=attempt, created_at=now)
            return attach(task, word, made, now, self.terms)

        try:
            return await self.writer.apply(tenant, id, attached)
        except NotFound:  # it was erased meanwhile
            await self.leaving.note(tenant, known.spec.codebase, [blob], task=id)
            raise

    async def find(self, principal: Principal, id: TaskId, name: str) -> Artifact:
        """One file of a task; ``NotFound``."""
        return artifact_of(await self.tasks.get(principal.tenant, id), name)

    def open(self, principal: Principal, artifact: Artifact) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """The file's bytes, in chunks, checked against its address as they come."""
        return self.blobs.open(principal.tenant, artifact.blob)

    async def url(self, principal: Principal, artifact: Artifact, expires: timedelta) -> str | None:
        """Where the bytes can be read without us until then, if the store of blobs has such a thing."""
        return await self.blobs.url(principal.tenant, artifact.blob, expires)
