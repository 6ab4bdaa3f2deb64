"""Everything of a kind that a tenant has, each once, in pages, while it is in use."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Final

from codetether_core.ids import TaskId, TenantId
from codetether_core.ports import SessionQuery, SessionStore, TaskOrder, TaskQuery, TaskStore
from codetether_core.sessions import Session
from codetether_core.tasks import Task

__all__ = ["every_session", "every_task"]

_PAGE: Final = 200


async def every_task(tasks: TaskStore, tenant: TenantId) -> AsyncGenerator[Task, None]:
    """In the order of creation backwards: new ones push the others back, so none is passed over."""
    told: set[TaskId] = set()
    after = 0
    while page := await tasks.list(tenant, TaskQuery(order=TaskOrder.NEWEST, limit=_PAGE, after=after)):
        after += len(page)
        for task in page:
            if task.id not in told:
                told.add(task.id)
                yield task


async def every_session(sessions: SessionStore, tenant: TenantId) -> AsyncGenerator[Session, None]:
    """Those that somebody goes on with move to the front meanwhile, and are looked for there until none is missing."""
    told: set[tuple[str, str]] = set()
    while True:
        before, after = len(told), 0
        while True:
            page, total = await sessions.list(tenant, SessionQuery(limit=_PAGE, after=after))
            after += len(page)
            for session in page:
                if (session.codebase, session.id) not in told:
                    told.add((session.codebase, session.id))
                    yield session
            if not page or len(told) >= total:
                break
        if len(told) >= total or len(told) == before:
            return
