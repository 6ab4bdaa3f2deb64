"""Erasing what somebody wants gone: a task that has ended, or a session with every task that ran in it.

What is erased answers as if it had never been. What stays is that it was: a record in the audit trail, an event without
a word of it, and that its id is not given again. Its blobs are noted before, and go soon after (``Collecting``).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing, suppress

from attrs import frozen

from codetether_core.access import Principal
from codetether_core.errors import NotEnded, NotFound, PermissionDenied
from codetether_core.events import SESSION_ERASED, TASK_ERASED, Event, Topic
from codetether_core.ids import CodebaseId, SessionId, TaskId, TenantId
from codetether_core.ports import Clock, SessionStore, TaskStore
from codetether_core.services.leaving import Leaving
from codetether_core.services.ownership import DELETIONS, Ownership, Reach
from codetether_core.services.references import blobs_of
from codetether_core.services.swapping import until_swapped
from codetether_core.services.walking import every_task
from codetether_core.sessions import Session
from codetether_core.tasks import Task

__all__ = ["Erasing"]


@frozen
class Erasing:
    """Each task, and the session, goes in one write of its own; whoever is cut off in between asks again."""

    tasks: TaskStore
    sessions: SessionStore
    leaving: Leaving
    ownership: Ownership
    clock: Clock

    async def task(self, principal: Principal, id: TaskId) -> None:
        """Erase a task, and the session that goes by its id: what its runs said where the agent named no session.

        ``NotFound``, ``NotEnded``; ``PermissionDenied`` for another's.
        """
        reach = await self.ownership.reach(principal, DELETIONS)
        task = await self.tasks.get(principal.tenant, id)
        _require_all([task], reach)
        await self._erase(principal, task)

    async def session(self, principal: Principal, codebase: CodebaseId, id: SessionId) -> int:
        """Erase a session, the tasks that ran in it, and the caller's that were to go on with it; how many those were.

        A task ran in it if its worker said so, or if the session goes by its id; that it asks to go on with it anybody
        may write. So who may not erase what is anybody's needs a task of his own that ran in the session and began it,
        and all that ran in it must be his. A task that only asks, and is another's, gives no leave, is no hindrance,
        and stays.

        All of them are looked for in the codebase, so this takes time as that has tasks. ``NotFound``,
        ``PermissionDenied``, and ``NotEnded`` if one that would go has not ended: then nothing is erased.
        """
        reach = await self.ownership.reach(principal, DELETIONS)
        going = await self._going(principal.tenant, codebase, id, reach)
        if not (going if reach.everybody else any(_began(task, id) for task in going)):
            await self.sessions.get(principal.tenant, codebase, id)
            if not reach.everybody:
                raise PermissionDenied("No task of yours began this session", hint="ask an operator", id=id)
        _require_all(going, reach)
        await self._forget(principal, codebase, id)
        # From now on nobody can go on with it. Whoever was faster is found now, and waited for by asking again.
        going = await self._going(principal.tenant, codebase, id, reach)
        _require_all(going, reach)
        for task in sorted(going, key=lambda task: _began(task, id)):  # at last those that give leave to ask again
            with suppress(NotFound):  # somebody else erased it meanwhile
                await self._erase(principal, task)
        return len(going)

    async def _erase(self, principal: Principal, task: Task) -> None:
        await self._forget(principal, task.spec.codebase, SessionId(task.id))
        topic = Topic.task(task.tenant, task.spec.codebase, task.id)

        async def attempt() -> None:
            present = await self.tasks.get(task.tenant, task.id)
            await self.leaving.note(present.tenant, present.spec.codebase, blobs_of(present), task=present.id)
            said = {"task_id": task.id, "codebase_id": task.spec.codebase, "by": principal.name}
            await self.tasks.remove(present, [Event(topic, TASK_ERASED, self.clock.now(), said)])

        await until_swapped(attempt, "task", task.id)

    async def _forget(self, principal: Principal, codebase: CodebaseId, id: SessionId) -> None:
        """Let there be no such session, also if nobody has told of it yet."""
        tenant = principal.tenant

        async def attempt() -> None:
            known, events = await self._known(tenant, codebase, id), list[Event]()
            if known is not None:
                await self.leaving.note(tenant, codebase, blobs_of(known), session=id)
                said = {"session_id": id, "codebase_id": codebase, "by": principal.name}
                events = [Event(Topic.session(tenant, codebase, id), SESSION_ERASED, self.clock.now(), said)]
            version = None if known is None else known.version
            await self.sessions.erase(tenant, codebase, id, version=version, events=events)

        await until_swapped(attempt, "session", id)

    async def _known(self, tenant: TenantId, codebase: CodebaseId, id: SessionId) -> Session | None:
        try:
            return await self.sessions.get(tenant, codebase, id)
        except NotFound:
            return None

    async def _going(self, tenant: TenantId, codebase: CodebaseId, id: SessionId, reach: Reach) -> Sequence[Task]:
        """What ran in the session, whosever it is, and what is to go on with it, if it is within reach."""
        async with aclosing(every_task(self.tasks, tenant, codebase)) as tasks:
            return [
                task
                async for task in tasks
                if _ran_in(task, id) or (_resumed(task) == id and reach.covers(task.created_by))
            ]


def _ran_in(task: Task, id: SessionId) -> bool:
    return id in (task.session, task.id)


def _began(task: Task, id: SessionId) -> bool:
    return _ran_in(task, id) and _resumed(task) is None


def _resumed(task: Task) -> object:
    return task.spec.metadata.get("resume_session_id")


def _require_all(tasks: Sequence[Task], reach: Reach) -> None:
    """They may be erased, and by that one."""
    for task in tasks:
        if not reach.covers(task.created_by):
            raise PermissionDenied("Somebody else created this task", hint="ask them, or an operator", id=task.id)
    for task in tasks:
        if not task.ended:
            raise NotEnded(task.id, task.state)
