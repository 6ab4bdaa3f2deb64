"""A task as a document, and every index that it is in.

``t:ID`` has its specification, which never changes, the rest, and its fence. ``w:ID`` is a signpost: a task whose id
does not end in its codebase's room is kept where the codebase is, and looked for where its id says.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from attrs import evolve

from codetether_adapters.redis.documents import ABSENT, Document, Place
from codetether_adapters.redis.encoding import document, plain, rank, sortable
from codetether_adapters.redis.keys import framed, topic_text
from codetether_adapters.tail import encode
from codetether_core.codec import dump, load
from codetether_core.events import Topic
from codetether_core.ids import CodebaseId, ContextId, TenantId, WorkerId
from codetether_core.ports import TaskOrder
from codetether_core.tasks import Lane, Task, TaskState, lane_of

__all__ = [
    "DUE",
    "FIELDS",
    "TASKS",
    "added",
    "belongs",
    "beyond_member",
    "context_index",
    "creator_index",
    "held_index",
    "lanes_index",
    "list_index",
    "ready_index",
    "removed",
    "swapped",
    "task_of",
    "worker_index",
]

TASKS: Final = "t:"
DUE: Final = "due"
FIELDS: Final = ("version", "spec", "body")

_NAMES: Final = {TaskOrder.PRIORITY: "best", TaskOrder.NEWEST: "newest", TaskOrder.CHANGED: "changed"}
_HOLDING: Final = (TaskState.RUNNING, TaskState.INPUT_REQUIRED)


def added(task: Task) -> Document:
    """A task that is new."""
    topic, *_ = topic_text(Topic.task(task.tenant, task.spec.codebase, task.id))
    return evolve(_document(task, ABSENT, {"spec": document(task.spec)}), unheard=topic)


def swapped(old: Task, new: Task) -> Document:
    """A task in place of an earlier version of it."""
    return _document(new, _version(old), {})


def removed(old: Task) -> Document:
    """A task that is no more."""
    return Document(key=f"{TASKS}{old.id}", expected=_version(old), version="")


def task_of(tenant: TenantId | None, version: bytes | None, spec: bytes, body: bytes) -> Task | None:
    """The task of these fields; nothing if it is gone, or another tenant's."""
    if version is None or (tenant is not None and not belongs(version, tenant)):
        return None
    return load(Task, {**plain(body), "spec": plain(spec)})


def belongs(version: bytes, tenant: TenantId) -> bool:
    """Whether a task of this version, as it is kept, is the tenant's."""
    return version.partition(b" ")[2] == tenant.encode()


def ready_index(lane: Lane) -> str:
    """What may be claimed in a lane, best first."""
    return f"ready:{lane.key}"


def lanes_index(tenant: TenantId) -> str:
    """The lanes that have something to claim, in order of their keys."""
    return f"lanes:{tenant}"


def list_index(tenant: TenantId, state: TaskState, order: TaskOrder, *, codebase: CodebaseId | None = None) -> str:
    """A tenant's or a codebase's tasks in a state and an order."""
    whose = framed(tenant) if codebase is None else framed(tenant, codebase)
    return f"{_NAMES[order]}:{state}:{whose}"


def context_index(tenant: TenantId, state: TaskState, order: TaskOrder, context: ContextId) -> str:
    """The tasks of a context."""
    return f"context-{_NAMES[order]}:{state}:{framed(tenant, context)}"


def creator_index(tenant: TenantId, state: TaskState, creator: str) -> str:
    """The tasks that somebody created, in the order of change."""
    return f"creator-changed:{state}:{framed(tenant, creator)}"


def beyond_member(moment: datetime, id: str) -> str:
    """A place in the order of change, or of creation."""
    return f"{sortable(moment)}{id}"


def worker_index(tenant: TenantId, worker: WorkerId) -> str:
    """The tasks whose last grant was this worker's."""
    return f"worker:{framed(tenant, worker)}"


def held_index(tenant: TenantId, worker: WorkerId) -> str:
    """The tasks that this worker holds."""
    return f"held:{framed(tenant, worker)}"


def _document(task: Task, expected: str, fields: dict[str, str | bytes]) -> Document:
    rest = dump(task)
    del rest["spec"]
    return Document(
        key=f"{TASKS}{task.id}",
        expected=expected,
        version=_version(task),
        fields={**fields, "fence": task.fence, "body": encode(rest)},
        places=[*_places(task)],
        unless=f"w:{task.id}",
    )


def _version(task: Task) -> str:
    return f"{task.version} {task.tenant}"


def _places(task: Task) -> Iterator[Place]:
    tenant, codebase, state = task.tenant, task.spec.codebase, task.state
    best, newest = f"{rank(task)}{task.id}", beyond_member(task.created_at, task.id)
    changed = beyond_member(task.since, task.id)
    for order, member in zip(TaskOrder, (best, newest, changed), strict=True):
        yield list_index(tenant, state, order), member, "", ""
        if order is not TaskOrder.CHANGED:
            yield list_index(tenant, state, order, codebase=codebase), member, "", ""
        if task.spec.context is not None:
            yield context_index(tenant, state, order, task.spec.context), member, "", ""
    yield creator_index(tenant, state, task.created_by), changed, "", ""
    if task.ready:
        lane = lane_of(tenant, task.spec)
        yield ready_index(lane), best, lanes_index(tenant), lane.key.encode() + document(lane)
    if task.due_at is not None:
        yield DUE, f"{sortable(task.due_at)}{task.id}", "", ""
    if task.grant is not None:
        yield worker_index(tenant, task.grant.worker), best, "", ""
    if state in _HOLDING and task.holder is not None:
        yield held_index(tenant, task.holder.worker), best, "", ""
