"""Everything of a kind that a tenant has, each once, in pages, while it is in use.

Each page begins behind the key of what was met last, whether that is still there or not: what is added, changed or
erased meanwhile makes nobody miss what is there all the time, or meet it twice.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Final

from attrs import evolve

from codetether_core.ids import CodebaseId, TenantId
from codetether_core.ports import SessionStore, TaskOrder, TaskQuery, TaskStore
from codetether_core.sessions import Session
from codetether_core.tasks import Task

__all__ = ["every_session", "every_task"]

_PAGE: Final = 200


async def every_task(
    tasks: TaskStore, tenant: TenantId, codebase: CodebaseId | None = None
) -> AsyncGenerator[Task, None]:
    """In the order of creation backwards, which no task ever leaves."""
    query = TaskQuery(codebase=codebase, order=TaskOrder.NEWEST, limit=_PAGE)
    while page := await tasks.list(tenant, query):
        for task in page:
            yield task
        query = evolve(query, beyond=(page[-1].created_at, page[-1].id))


async def every_session(sessions: SessionStore, tenant: TenantId) -> AsyncGenerator[Session, None]:
    """In order of codebase and id."""
    after = None
    while page := await sessions.walk(tenant, after=after, limit=_PAGE):
        for session in page:
            yield session
        after = page[-1].codebase, page[-1].id
