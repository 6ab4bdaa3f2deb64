"""Values to show behaviours with. Moments have odd microseconds, so that a store that rounds them is found out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from attrs import evolve

from codetether_core.events import TASK_ERASED, Event, Topic
from codetether_core.ids import CodebaseId, TaskId, TenantId, WorkerId
from codetether_core.tasks import Grant, LeaseTerms, Task, TaskSpec, Word, claim

__all__ = [
    "CODEBASE",
    "MICROSECOND",
    "NOW",
    "OTHER_TENANT",
    "SECOND",
    "TENANT",
    "TERMS",
    "claimed",
    "end_of",
    "new_task",
    "note",
    "output",
    "put_off",
    "word",
]

NOW: Final = datetime(2026, 7, 1, 12, 0, 0, 123457, UTC)
SECOND: Final = timedelta(seconds=1)
MICROSECOND: Final = timedelta(microseconds=1)
TENANT: Final = TenantId("default")
OTHER_TENANT: Final = TenantId("other")
CODEBASE: Final = CodebaseId("cb")
TERMS: Final = LeaseTerms(ttl=60 * SECOND, run_timeout=600 * SECOND)


def new_task(
    id: str = "t", *, tenant: TenantId = TENANT, at: datetime = NOW, by: str = "somebody", **spec: Any
) -> Task:
    """A pending task; ``spec`` are members of its specification."""
    asked = TaskSpec(**{"codebase": CODEBASE, "title": "title", "prompt": "prompt", **spec})
    return Task.new(TaskId(id), tenant, asked, created_by=by, now=at)


def claimed(task: Task, *, worker: str = "w", nonce: str = "n", at: datetime = NOW) -> Task:
    """The task once a worker has it."""
    return claim(task, worker=WorkerId(worker), principal="p", now=at, terms=TERMS, nonce=nonce)


def put_off(task: Task, until: datetime) -> Task:
    """The task, not to be claimed until then."""
    return evolve(task, not_before=until, version=task.version + 1)


def word(grant: Grant | None) -> Word:
    """What the grant's holder shows."""
    assert grant is not None
    return Word(worker=grant.worker, principal=grant.principal, token=grant.token)


def note(topic: Topic, text: str = "", kind: str = "note", at: datetime = NOW) -> Event:
    """An event with a text."""
    return Event(topic, kind, at, {"text": text})


def end_of(task: Task) -> Event:
    """The event that takes all others of a task with it."""
    return note(Topic.task(task.tenant, task.spec.codebase, task.id), "", TASK_ERASED)


def output(task: Task, *texts: str) -> list[Event]:
    """Events of a task, one for each text."""
    topic = Topic.task(task.tenant, task.spec.codebase, task.id)
    return [note(topic, text, "task.output") for text in texts]
