"""Giving tasks, and taking them back: submit, retry, requeue, cancel, review."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from attrs import evolve, frozen

from codetether_core.access import Principal
from codetether_core.errors import AlreadyExists, Conflict, IdempotencyMismatch, Invalid, NotFound
from codetether_core.ids import CodebaseId, TaskId, derived_id, new_id, room_of
from codetether_core.ports import Clock, CodebaseStore, Entropy, TaskQuery, TaskStore
from codetether_core.services.redaction import Redaction
from codetether_core.services.task_writer import TaskWriter
from codetether_core.tasks import ANYWHERE, LIVE, Task, TaskSpec, TaskState, cancel, requeue, review
from codetether_core.tasks.matching import RELAYED

__all__ = ["Submission"]

_HELD: Final = frozenset({TaskState.RUNNING, TaskState.INPUT_REQUIRED})
_PAGE: Final = 200


@frozen
class Submission:
    """What clients do to tasks."""

    writer: TaskWriter
    tasks: TaskStore
    codebases: CodebaseStore
    clock: Clock
    entropy: Entropy
    redaction: Redaction

    async def submit(self, principal: Principal, spec: TaskSpec, *, key: str = "") -> Task:
        """A new pending task; ``NotFound`` for an unknown codebase, ``Invalid`` for one that tells a secret, or that
        is for an agent elsewhere and does not say which.

        With an idempotency ``key`` (scoped by tenant, principal and codebase) a second submit meets the first task,
        and raises ``IdempotencyMismatch`` if it asks for something else, or if that was erased.
        """
        if spec.agent_type == RELAYED and not spec.target_agent:
            raise Invalid("target_agent_name", f"must name the agent that is to do a task of the type {RELAYED}")
        await self.redaction.refuse(principal.tenant, prompt=spec.prompt, title=spec.title, metadata=spec.metadata)
        spec = evolve(spec, required_capabilities=tuple(sorted(set(spec.required_capabilities))))
        room = room_of(principal.tenant, spec.codebase)
        if not key:
            fresh = new_id("tsk", self.clock.now(), self.entropy.bytes(16), room=room)
            return await self._add(principal, spec, TaskId(fresh))
        id = TaskId(derived_id("tsk", principal.tenant, principal.name, spec.codebase, key, room=room))
        try:
            first = await self.tasks.get(principal.tenant, id)
        except NotFound:
            try:
                return await self._add(principal, spec, id)
            except AlreadyExists:
                first = await self._added(principal, id)
        if first.spec != spec:
            raise IdempotencyMismatch("This Idempotency-Key was used for another task", hint="use a new key", id=id)
        return first

    async def retry(self, principal: Principal, id: TaskId, *, key: str = "") -> Task:
        """A new task that asks for the same as an ended one and names it; ``Conflict`` while that still goes on."""
        ended = await self.tasks.get(principal.tenant, id)
        if not ended.ended:
            raise Conflict(f"The task is {ended.state}", hint="requeue or cancel it", id=id, state=ended.state)
        return await self.submit(principal, evolve(ended.spec, retry_of=id, start_by=None), key=key)

    async def requeue(self, principal: Principal, id: TaskId, *, key: str = "") -> Task:
        """Take a running task from its holder and make it pending again; an ended one is retried as a new task."""
        task = await self.tasks.get(principal.tenant, id)
        if task.ended:
            return await self.retry(principal, id, key=key)
        return await self.writer.apply(principal.tenant, id, lambda task: requeue(task, self.clock.now()))

    async def cancel(self, principal: Principal, id: TaskId) -> Task:
        """End a task that nobody wants any more; one that is cancelled already is returned as it is."""

        def verb(task: Task) -> Task:
            if task.state is TaskState.CANCELLED:
                return task
            if task.state not in LIVE:
                raise Conflict(f"The task is {task.state} already", id=id, state=task.state)
            return cancel(task, self.clock.now(), by=principal.name)

        return await self.writer.apply(principal.tenant, id, verb)

    async def stop(self, principal: Principal, codebase: CodebaseId) -> Sequence[Task]:
        """Cancel everything that runs on the codebase; the tasks that were cancelled."""
        if codebase not in ANYWHERE:
            await self.codebases.get(principal.tenant, codebase)
        stopped: list[Task] = []
        query = TaskQuery(codebase=codebase, states=_HELD, limit=_PAGE)
        while running := await self.tasks.list(principal.tenant, query):
            for task in running:
                try:
                    stopped.append(await self.cancel(principal, task.id))
                except Conflict:  # it ended by itself meanwhile
                    continue
        return stopped

    async def review(self, principal: Principal, id: TaskId) -> Task:
        """Note that somebody has looked at the outcome."""
        return await self.writer.apply(principal.tenant, id, lambda task: review(task, self.clock.now()))

    async def _added(self, principal: Principal, id: TaskId) -> Task:
        """The task that somebody else was faster with."""
        try:
            return await self.tasks.get(principal.tenant, id)
        except NotFound:
            problem = "This Idempotency-Key was used for a task that was erased"
            raise IdempotencyMismatch(problem, hint="use a new key", id=id) from None

    async def _add(self, principal: Principal, spec: TaskSpec, id: TaskId) -> Task:
        if spec.codebase not in ANYWHERE:
            await self.codebases.get(principal.tenant, spec.codebase)
        task = Task.new(id, principal.tenant, spec, created_by=principal.name, now=self.clock.now())
        await self.writer.add(task)
        return task
