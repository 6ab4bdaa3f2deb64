"""A copy of everything a tenant had, put into a new store.

That store has a new epoch, and every grant that was in force is burnt in it: two stores must not both honour one
holder.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Mapping
from contextlib import suppress
from typing import Any, Final, TypeVar

from attrs import evolve, frozen

from codetether_core import codec
from codetether_core.access import Account, Credential
from codetether_core.agents import Agent
from codetether_core.approvals import Approval
from codetether_core.artifacts import BlobId
from codetether_core.audit import SYSTEM_ACTOR, Outcome
from codetether_core.codebases import Codebase
from codetether_core.errors import Conflict, Invalid, NotFound, Unavailable
from codetether_core.events import AUDIT, SESSION_ERASED, TASK_ERASED, Event, Topic
from codetether_core.ids import CodebaseId, SessionId, TaskId, TenantId
from codetether_core.messages import Message
from codetether_core.ports import ApprovalChange, Backend, BlobStore, Clock, RecordStore
from codetether_core.secrets import DataKey, Secret
from codetether_core.services.as_kept import AsKept
from codetether_core.services.copies import Entry
from codetether_core.services.leaving import Leaving
from codetether_core.services.recording import Recording
from codetether_core.services.references import blobs_of
from codetether_core.services.task_writer import TaskWriter
from codetether_core.services.trail_copying import TrailCopying
from codetether_core.sessions import Session, SessionMessage
from codetether_core.tasks import Task, requeue
from codetether_core.tool_servers import ToolServer
from codetether_core.webhooks import Webhook, relocated
from codetether_core.workers import Worker

__all__ = ["Restoring"]

V = TypeVar("V", Codebase, Worker, Agent, Credential, Account, Secret, ToolServer)
K = TypeVar("K", DataKey, Webhook)

_PAGE: Final = 200


@frozen
class Restoring:
    """Copies into a store, as it is to keep everything."""

    kept: AsKept
    writer: TaskWriter
    recording: Recording
    trail: TrailCopying
    leaving: Leaving
    clock: Clock

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
        erased: list[Topic] = []
        events: list[Event] = []
        async for entry in entries:
            counted[entry.kind] = counted.get(entry.kind, 0) + 1
            if entry.kind == "event":
                events.append(event := _event(tenant, entry.data))
                if event.kind == TASK_ERASED:
                    erased.append(event.topic)
                if len(events) == _PAGE:
                    await self.backend.log.append(events)
                    events = []
                continue
            if events:
                await self.backend.log.append(events)
                events = []
            if (task := await self._put(tenant, entry)) and not task.ended and task.holder is not None:
                held.append(task.id)
        if events:
            await self.backend.log.append(events)
        for topic in erased:
            await self._remove(topic)
        for id in held:
            with suppress(NotFound):  # it was erased while it was copied
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

    async def _remove(self, erased: Topic) -> None:
        """Take away a task that was copied before it was erased, or what was copied of it."""
        backend, tenant, codebase, id = self.backend, erased.tenant, CodebaseId(erased.scope), TaskId(erased.subject)
        try:
            task = await backend.tasks.get(tenant, id)
        except NotFound:
            for webhook in await backend.webhooks.of_task(tenant, codebase, id):
                await backend.webhooks.remove(webhook)
        else:
            await self.leaving.note(tenant, codebase, blobs_of(task), task=id)
            await backend.tasks.remove(task)

    async def _erase(self, tenant: TenantId, codebase: CodebaseId, id: SessionId) -> None:
        """Let there be no such session, also if it was copied before it was erased."""
        sessions, version, events = self.backend.sessions, None, list[Event]()
        with suppress(NotFound):
            session = await sessions.get(tenant, codebase, id)
            await self.leaving.note(tenant, codebase, blobs_of(session), session=id)
            said = {"session_id": id, "codebase_id": codebase, "by": SYSTEM_ACTOR.name}
            version = session.version
            events = [Event(Topic.session(tenant, codebase, id), SESSION_ERASED, self.clock.now(), said)]
        await sessions.erase(tenant, codebase, id, version=version, events=events)

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
            case "tool_server":
                await _add(backend.tool_servers, codec.load(ToolServer, data), tenant)
            case "webhook":
                webhook = relocated(codec.load(Webhook, data), self.clock.now())
                await backend.webhooks.add(_of_this(tenant, webhook))
            case "audit":
                await self.trail.put(tenant, data)
            case "message":
                await backend.inbox.add(evolve(codec.load(Message, data), tenant=tenant))
            case "erased_session":
                await self._erase(tenant, CodebaseId(data["codebase"]), SessionId(data["id"]))
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


def _of_this(tenant: TenantId, value: K) -> K:
    """The same value: what is encrypted is so for one tenant."""
    if value.tenant != tenant:
        raise Invalid("tenant", f"is {value.tenant}, for which this is encrypted", hint="restore it as that tenant")
    return value


def _event(tenant: TenantId, data: Mapping[str, Any]) -> Event:
    if data["scope"] == AUDIT:
        raise Invalid("event", "is of the audit trail", hint="take a backup that was not tampered with")
    topic = Topic(tenant, data["scope"], data["subject"])
    return Event(topic, data["kind"], codec.moment(data["at"]), data["data"])
