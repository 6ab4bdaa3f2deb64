"""One copy of everything a tenant has, out of a store that is in use.

Each task is copied with its approvals and with the events up to that very version. What belongs to no task is copied
as it is when its turn comes. Blobs are named, and copied by whoever has both ends.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from typing import Final

from attrs import define, evolve, frozen

from codetether_core import codec
from codetether_core.artifacts import BlobId
from codetether_core.errors import NotFound
from codetether_core.events import Event, Record, Topic
from codetether_core.ids import TaskId, TenantId
from codetether_core.ports import Backend, BlobStore
from codetether_core.services.as_kept import AsKept
from codetether_core.services.copies import Entry
from codetether_core.services.references import blobs_of
from codetether_core.services.task_logs import TaskLogs
from codetether_core.services.task_writer import TASK_KINDS
from codetether_core.services.trail_copying import TrailCopying
from codetether_core.services.walking import every_session, every_task
from codetether_core.services.watching import Resync, Watching
from codetether_core.sessions import Session
from codetether_core.tasks import Task

__all__ = ["Archiving"]

_ALL: Final = 2**31 - 1


@define
class _Story:
    """Of a task's events: the number of the next one to copy, and of the last."""

    following: int
    last: int


@frozen
class Archiving:
    """Copies out of a store, as it keeps everything: what is encrypted stays so."""

    kept: AsKept
    watching: Watching
    logs: TaskLogs
    trail: TrailCopying

    async def copy(self, tenant: TenantId) -> AsyncGenerator[Entry, None]:
        """Everything, what others refer to first. Behind what is erased meanwhile comes that it is.

        Of a task that goes on, what was filed away of its log comes back: the new log numbers its events from 1.
        """
        directory = self.backend.directory
        for codebase in await self.backend.codebases.list(tenant):
            yield Entry("codebase", codec.dump(codebase))
        for worker in await directory.workers.list(tenant):
            yield Entry("worker", codec.dump(worker))
        for agent in await directory.agents.list(tenant):
            yield Entry("agent", codec.dump(agent))
        for credential in await self.backend.credentials.list(tenant):
            yield Entry("credential", codec.dump(credential))
        for account in await self.backend.accounts.list(tenant):
            yield Entry("account", codec.dump(account))
        for key in await self.backend.data_keys.list(tenant):
            yield Entry("data_key", codec.dump(key))
        for secret in await self.backend.secrets.list(tenant):
            yield Entry("secret", codec.dump(secret))
        for server in await self.backend.tool_servers.list(tenant):
            yield Entry("tool_server", codec.dump(server))
        for webhook in await self.backend.webhooks.list(tenant):
            yield Entry("webhook", codec.dump(webhook))
        for message in await self.backend.inbox.list(tenant, limit=_ALL):
            yield Entry("message", codec.dump(message))
        told = set(erased := await self.backend.sessions.erased(tenant))
        for codebase_id, id in erased:
            yield Entry("erased_session", {"codebase": codebase_id, "id": id})
        named: set[BlobId] = set()
        async for session, entry in self._sessions(tenant):
            yield entry
            async for blob in self._blobs(session, named):
                yield blob
        stories: dict[str, _Story] = {}
        async for task, entry in self._tasks(tenant):
            stories[task.id] = _Story(task.filed_to + 1, max(entry.data["events"], task.filed_to))
            if task.log and not task.ended:
                stories[task.id].following, task = 1, evolve(task, log=())
                entry = Entry(entry.kind, {**entry.data, "task": codec.dump(task)})
            yield entry
            async for blob in self._blobs(task, named):
                yield blob
        async for record in self._records(tenant, stories):
            yield await self._event(record)
        for codebase_id, id in await self.backend.sessions.erased(tenant):
            if (codebase_id, id) not in told:  # it was erased meanwhile, whether it was copied before or not
                yield Entry("erased_session", {"codebase": codebase_id, "id": id})
        async for entry in self.trail.copy(tenant):
            yield entry

    @property
    def backend(self) -> Backend:
        """The store, as it keeps things."""
        return self.kept.backend

    @property
    def blobs(self) -> BlobStore:
        """Its blobs, as they are."""
        return self.kept.blobs

    async def _event(self, record: Record) -> Entry:
        """As the store has it, or would: what was filed away is in clear by now."""
        event = Event(record.topic, record.kind, record.at, json.loads(record.body))
        (hidden,) = (event,) if record.position else await self.kept.hide([event])
        return Entry(
            "event",
            {
                "scope": hidden.topic.scope,
                "subject": hidden.topic.subject,
                "kind": hidden.kind,
                "at": codec.timestamp(hidden.at),
                "data": hidden.data,
            },
        )

    async def _blobs(self, owner: Session | Task, named: set[BlobId]) -> AsyncGenerator[Entry, None]:
        """Those that nobody named before, unless they have gone with their owner meanwhile."""
        for id in blobs_of(owner):
            if id not in named:
                try:
                    size = await self.blobs.size(owner.tenant, id)
                except NotFound:
                    if await self._is_erased(owner):
                        return
                    raise
                named.add(id)
                yield Entry("blob", {"id": id, "size": size})

    async def _is_erased(self, owner: Session | Task) -> bool:
        try:
            if isinstance(owner, Task):
                await self.backend.tasks.get(owner.tenant, owner.id)
            else:
                await self.backend.sessions.get(owner.tenant, owner.codebase, owner.id)
        except NotFound:
            return True
        return False

    async def _sessions(self, tenant: TenantId) -> AsyncGenerator[tuple[Session, Entry], None]:
        sessions = self.backend.sessions
        async for session in every_session(sessions, tenant):
            key = tenant, session.codebase, session.id
            messages, _ = await sessions.messages(*key, limit=_ALL)
            try:
                present = await sessions.get(*key)  # after them: what was filed meanwhile is in its transcript
            except NotFound:  # it was erased meanwhile
                continue
            told_of = {"session": codec.dump(present), "messages": codec.dump(list(messages))}
            yield present, Entry("session", told_of)

    async def _tasks(self, tenant: TenantId) -> AsyncGenerator[tuple[Task, Entry], None]:
        async for task in every_task(self.backend.tasks, tenant):
            try:
                whole = await self._whole(task)
            except NotFound:  # it was erased meanwhile
                continue
            yield whole

    async def _whole(self, task: Task) -> tuple[Task, Entry]:
        """The task with its approvals and the number of its last event, all of one version."""
        while True:
            topic = Topic.task(task.tenant, task.spec.codebase, task.id)
            approvals = await self.backend.approvals.list(task.tenant, task=task.id, limit=_ALL)
            last = await self.backend.log.latest(topic, TASK_KINDS, 1)
            present = await self.backend.tasks.get(task.tenant, task.id)
            if present.version == task.version:
                number = last[0].number if last else 0
                return task, Entry(
                    "task",
                    {"task": codec.dump(task), "approvals": codec.dump([*reversed(approvals)]), "events": number},
                )
            task = present

    async def _records(self, tenant: TenantId, stories: Mapping[str, _Story]) -> AsyncGenerator[Record, None]:
        """The log, without what came after the copies of the tasks; what leaves it meanwhile was filed away."""
        async for page in self.watching.replay(Topic(tenant)):
            for record in () if isinstance(page, Resync) else page.records:
                if record.kind not in TASK_KINDS:
                    yield record
                elif (story := stories.get(record.topic.subject)) and story.following <= record.number <= story.last:
                    async for missing in self._missing(tenant, record.topic.subject, story, record.number - 1):
                        yield missing
                    story.following = record.number + 1
                    yield record
        for id, story in stories.items():
            async for missing in self._missing(tenant, id, story, story.last):
                yield missing

    async def _missing(self, tenant: TenantId, id: str, story: _Story, last: int) -> AsyncGenerator[Record, None]:
        """What the one log lacks of a task up to that number, as far as it was filed away."""
        if story.following > last:
            return
        try:
            task = await self.backend.tasks.get(tenant, TaskId(id))
        except NotFound:  # it was erased meanwhile
            return
        async for record in self.logs.filed(task):
            if story.following <= record.number <= last:
                yield record
