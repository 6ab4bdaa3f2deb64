"""One copy of everything a tenant has, from any store into any other, while the first is in use.

Each task is copied with its approvals and with the events up to that very version. What belongs to no task is copied
as it is when its turn comes. The new store has a new epoch, and every grant that was in force is burnt in it: two
stores must not both honour one holder. Blobs are named, and copied by whoever has both ends.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from attrs import define, evolve, frozen

from codetether_core import codec
from codetether_core.access import Account, Credential
from codetether_core.agents import Agent
from codetether_core.approvals import Approval
from codetether_core.artifacts import BlobId
from codetether_core.audit import SYSTEM_ACTOR, Outcome
from codetether_core.codebases import Codebase
from codetether_core.errors import Conflict, Invalid, Unavailable
from codetether_core.events import AUDIT, Event, Record, Topic
from codetether_core.ids import TaskId, TenantId
from codetether_core.messages import Message
from codetether_core.ports import ApprovalChange, Backend, BlobStore, Clock, RecordStore, SessionQuery, TaskQuery
from codetether_core.secrets import DataKey, Secret
from codetether_core.services.copies import Entry
from codetether_core.services.recording import Recording
from codetether_core.services.task_logs import TaskLogs
from codetether_core.services.task_writer import TASK_KINDS, TaskWriter
from codetether_core.services.trail_copying import TrailCopying
from codetether_core.services.watching import Resync, Watching
from codetether_core.sessions import Session, SessionMessage
from codetether_core.tasks import Task, blobs_of, requeue
from codetether_core.workers import Worker

__all__ = ["Archiving", "AsKept"]

V = TypeVar("V", Codebase, Worker, Agent, Credential, Account, Secret, DataKey)

_ALL: Final = 2**31 - 1
_PAGE: Final = 200


async def _as_they_are(events: Sequence[Event]) -> Sequence[Event]:
    return events


@frozen
class AsKept:
    """What the store and its blobs have, as they have it; ``hide`` makes of events what the store would keep."""

    backend: Backend
    blobs: BlobStore
    hide: Callable[[Sequence[Event]], Awaitable[Sequence[Event]]] = _as_they_are


@define
class _Story:
    """Of a task's events: the number of the next one to copy, and of the last."""

    following: int
    last: int


@frozen
class Archiving:
    """Copies out of a store and into it, as it keeps everything: what is encrypted stays so."""

    kept: AsKept
    writer: TaskWriter
    watching: Watching
    logs: TaskLogs
    recording: Recording
    trail: TrailCopying
    clock: Clock

    async def copy(self, tenant: TenantId) -> AsyncGenerator[Entry, None]:
        """Everything, what others refer to first.

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
        for message in await self.backend.inbox.list(tenant, limit=_ALL):
            yield Entry("message", codec.dump(message))
        named: set[BlobId] = set()
        async for session, entry in self._sessions(tenant):
            yield entry
            if session.transcript is not None and session.transcript not in named:
                named.add(session.transcript)
                yield await self._blob(tenant, session.transcript)
        stories: dict[str, _Story] = {}
        async for task, entry in self._tasks(tenant):
            stories[task.id] = _Story(task.filed_to + 1, max(entry.data["events"], task.filed_to))
            if task.log and not task.ended:
                stories[task.id].following, task = 1, evolve(task, log=())
                entry = Entry(entry.kind, {**entry.data, "task": codec.dump(task)})
            yield entry
            for id in blobs_of(task):
                if id not in named:
                    named.add(id)
                    yield await self._blob(tenant, id)
        async for record in self._records(tenant, stories):
            yield await self._event(record)
        async for entry in self.trail.copy(tenant):
            yield entry

    async def restore(self, tenant: TenantId, entries: AsyncIterable[Entry]) -> Mapping[str, int]:
        """Put a copy into this store; how many there were of each kind. ``Conflict`` unless the store is empty.

        Until the last piece is in its place the store is not whole. A blob has to be there before it is named:
        ``NotFound`` otherwise.
        """
        if not await self.backend.is_whole():
            raise Conflict("A restore into the store was cut short, or goes on", hint="restore into a new one")
        if await self.backend.tasks.count(tenant) or await self.backend.codebases.list(tenant):
            raise Conflict("The store is not empty", hint="restore into a new one")
        await self.backend.set_whole(False)
        counted: dict[str, int] = {}
        held: list[TaskId] = []
        events: list[Event] = []
        async for entry in entries:
            counted[entry.kind] = counted.get(entry.kind, 0) + 1
            if entry.kind == "event":
                events.append(_event(tenant, entry.data))
                if len(events) == _PAGE:
                    await self.backend.log.append(events)
                    events = []
            elif (task := await self._put(tenant, entry)) and not task.ended and task.holder is not None:
                held.append(task.id)
        if events:
            await self.backend.log.append(events)
        for id in held:
            await self.writer.apply(tenant, id, lambda task: requeue(task, self.clock.now()))
        await self.recording.record(tenant, SYSTEM_ACTOR, "backup.restored", "store", Outcome.SUCCESS, counted)
        await self.backend.set_whole(True)
        return counted

    async def check_whole(self) -> None:
        """``Unavailable`` where a restore into this store has not come to its end: leases of the old one count here."""
        if not await self.backend.is_whole():
            raise Unavailable(
                "The store has a part of a backup: a restore into it was cut short, or goes on",
                hint="wait for it to end or, if it was cut short, restore into a new store",
            )

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

    async def _blob(self, tenant: TenantId, id: BlobId) -> Entry:
        return Entry("blob", {"id": id, "size": await self.blobs.size(tenant, id)})

    async def _sessions(self, tenant: TenantId) -> AsyncGenerator[tuple[Session, Entry], None]:
        """Sessions that move to the front meanwhile come twice, and are told once."""
        told: set[tuple[str, str]] = set()
        after = 0
        while page := (await self.backend.sessions.list(tenant, SessionQuery(limit=_PAGE, after=after)))[0]:
            after += len(page)
            for session in page:
                if (session.codebase, session.id) not in told:
                    told.add((session.codebase, session.id))
                    sessions, key = self.backend.sessions, (tenant, session.codebase, session.id)
                    messages, _ = await sessions.messages(*key, limit=_ALL)
                    present = await sessions.get(*key)  # after them: what was filed meanwhile is in its transcript
                    told_of = {"session": codec.dump(present), "messages": codec.dump(list(messages))}
                    yield present, Entry("session", told_of)

    async def _tasks(self, tenant: TenantId) -> AsyncGenerator[tuple[Task, Entry], None]:
        """In the order of creation backwards: new ones push the others back, so none is passed over."""
        told: set[TaskId] = set()
        after = 0
        while page := await self.backend.tasks.list(tenant, TaskQuery(newest=True, limit=_PAGE, after=after)):
            after += len(page)
            for task in page:
                if task.id not in told:
                    told.add(task.id)
                    yield await self._whole(task)

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
        if story.following <= last:
            async for record in self.logs.filed(await self.backend.tasks.get(tenant, TaskId(id))):
                if story.following <= record.number <= last:
                    yield record

    async def _put(self, tenant: TenantId, entry: Entry) -> Task | None:
        """Keep what is no event; the task, if it is one."""
        backend, data = self.backend, entry.data
        match entry.kind:
            case "codebase":
                await _add(backend.codebases, codec.load(Codebase, data), tenant)
            case "worker":
                await _add(backend.directory.workers, codec.load(Worker, data), tenant)
            case "agent":
                await _add(backend.directory.agents, codec.load(Agent, data), tenant)
            case "credential":
                await _add(backend.credentials, codec.load(Credential, data), tenant)
            case "account":
                await _add(backend.accounts, codec.load(Account, data), tenant)
            case "data_key":
                await backend.data_keys.add(_of_this(tenant, codec.load(DataKey, data)))
            case "secret":
                await _add(backend.secrets, codec.load(Secret, data), tenant)
            case "audit":
                await self.trail.put(tenant, data)
            case "message":
                await backend.inbox.add(evolve(codec.load(Message, data), tenant=tenant))
            case "session":
                session = evolve(codec.load(Session, data["session"]), tenant=tenant)
                await backend.sessions.put(None, session, codec.load(list[SessionMessage], data["messages"]))
            case "blob":
                await self.blobs.size(tenant, BlobId(data["id"]))
            case "task":
                task = evolve(codec.load(Task, data["task"]), tenant=tenant)
                await backend.tasks.add(task)
                approvals = [evolve(each, tenant=tenant) for each in codec.load(list[Approval], data["approvals"])]
                if approvals:
                    new = evolve(task, version=task.version + 1)
                    changes = [ApprovalChange(None, approval) for approval in approvals]
                    await backend.tasks.replace(task, new, approvals=changes)
                return task
            case unknown:
                raise Invalid("kind", f"is {unknown!r}, which this program does not know", hint="use a newer release")
        return None


async def _add(store: RecordStore[V], value: V, tenant: TenantId) -> None:
    await store.add(evolve(value, tenant=tenant))


def _of_this(tenant: TenantId, key: DataKey) -> DataKey:
    """The same key: what is encrypted is so for one tenant."""
    if key.tenant != tenant:
        raise Invalid("tenant", f"is {key.tenant}, for which this is encrypted", hint="restore it as that tenant")
    return key


def _event(tenant: TenantId, data: Mapping[str, Any]) -> Event:
    if data["scope"] == AUDIT:
        raise Invalid("event", "is of the audit trail", hint="take a backup that was not tampered with")
    topic = Topic(tenant, data["scope"], data["subject"])
    return Event(topic, data["kind"], codec.moment(data["at"]), data["data"])
