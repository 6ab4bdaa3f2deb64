"""Runs that use tools of servers elsewhere: what they are offered, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from attrs import frozen

from codetether_core.access import Decision
from codetether_core.audit import Actor, Outcome
from codetether_core.errors import (
    CodeTetherError,
    Conflict,
    NotConfigured,
    NotFound,
    PermissionDenied,
    StaleLease,
    Unauthenticated,
)
from codetether_core.ids import ApprovalId, TaskId, TenantId
from codetether_core.ports import Clock, TaskStore
from codetether_core.redaction import rewritten
from codetether_core.services.judging import Judging
from codetether_core.services.recording import Recording
from codetether_core.services.redaction import Redaction
from codetether_core.services.tool_listing import ToolListing
from codetether_core.services.tool_permission import ToolPermission, tool_use
from codetether_core.tasks import LeaseTerms, Task, Word, held_by
from codetether_core.tool_servers import OfferedTool, ToolAnswer, ToolServer, server_in, tool_name

__all__ = ["Offering", "ToolUsing"]

_ACTION: Final = "tool.used"


def _nobody_else_waits(id: ApprovalId) -> None:
    """What is asked is waited for to the end."""


@frozen
class Offering:
    """What a run may use, and by which servers' ``problems`` (sentences by the servers' names) it has no more."""

    tools: Sequence[tuple[ToolServer, OfferedTool]]
    problems: Mapping[str, str]


@frozen
class ToolUsing:
    """Uses of tools by the holders of tasks; each carries the grant, and a superseded one has ``StaleLease``."""

    listing: ToolListing
    permission: ToolPermission
    judging: Judging
    redaction: Redaction
    recording: Recording
    tasks: TaskStore
    clock: Clock
    terms: LeaseTerms

    @property
    def possible(self) -> bool:
        """Whether there is anybody to ask for tools."""
        return self.listing.caller is not None

    async def recognized(self, tenant: TenantId, id: TaskId, token: str) -> Word:
        """Whose word a lease's token is, while the lease lasts; else ``Unauthenticated``, which does not say why."""
        try:
            task = await self.tasks.get(tenant, id)
            holder = task.holder
            if holder is not None and not task.lapsed and self.clock.now() < holder.expires_at:
                word = Word(worker=holder.worker, principal=holder.principal, token=token)
                holder.fence(word)
                return word
        except (NotFound, StaleLease):
            pass
        raise Unauthenticated("This is no token of a lease that lasts", hint="it ends with the run that it was for")

    async def offered(self, tenant: TenantId, word: Word, id: TaskId) -> Offering:
        """The tools that the policy does not deny to the holder, by their servers' names."""
        task = await self._held(tenant, word, id)
        found: dict[str, tuple[ToolServer, OfferedTool]] = {}
        problems: dict[str, str] = {}
        for listed in await self.listing.of(tenant):
            if listed.problem is not None:
                problems[listed.server.name] = listed.problem.message
            for tool in listed.tools:
                name = tool_name(listed.server.name, tool.name)
                if name not in found and await self._may_be_wished(task, word, name):
                    found[name] = (listed.server, tool)
        return Offering([*found.values()], problems)

    async def use(
        self,
        tenant: TenantId,
        word: Word,
        id: TaskId,
        name: str,
        arguments: Mapping[str, Any],
        *,
        actor: Actor | None = None,
        asked: Callable[[ApprovalId], None] = _nobody_else_waits,
    ) -> ToolAnswer:
        """What the tool of that ``name`` answers, as soon as it may be used, without registered secrets.

        ``NotFound`` if it is not offered, ``Invalid`` where a registered secret would leave with the arguments; the
        refusals of ``ToolPermission`` and the errors of the port ``ToolCaller``; ``Conflict`` if the server was removed
        or registered anew while people were asked. ``actor`` is who the trail says it was, the holder unless told
        otherwise, and ``asked`` is told what to ``take_back`` if nobody waits any more.
        """
        who = actor or Actor(name=word.principal)
        said: dict[str, Any] = {"task_id": id, "worker_id": word.worker}
        try:
            await self._held(tenant, word, id)
            server, tool = await self._found(tenant, name)
            await self.redaction.refuse(tenant, arguments=arguments)
            approval = await self.permission.require(tenant, word, id, name, arguments, asked)
            said["answered_by"] = approval.answered_by
            await self._require_unchanged(server)
            answer = await self._answered(server, tool, arguments)
        except PermissionDenied as refusal:
            await self._record(tenant, who, name, Outcome.DENIED, {**said, "code": refusal.code, **refusal.details})
            raise
        except CodeTetherError as error:
            await self._record(tenant, who, name, Outcome.FAILURE, {**said, "code": error.code})
            raise
        except BaseException:  # nobody waits for it any more
            self.recording.count(tenant, who, _ACTION, f"tool/{name}", Outcome.FAILURE)
            raise
        outcome = Outcome.FAILURE if answer.failed else Outcome.SUCCESS
        await self._record(tenant, who, name, outcome, said)
        return answer

    async def take_back(self, tenant: TenantId, word: Word, id: ApprovalId) -> None:
        """Ask nobody any more what a use that was given up would have taken."""
        await self.permission.take_back(tenant, word, id)

    async def _held(self, tenant: TenantId, word: Word, id: TaskId) -> Task:
        return held_by(await self.tasks.get(tenant, id), word, self.clock.now(), self.terms)

    async def _may_be_wished(self, task: Task, word: Word, name: str) -> bool:
        return (await self.judging.verdict(task, word, tool_use(name))).decision is not Decision.DENY

    async def _found(self, tenant: TenantId, name: str) -> tuple[ToolServer, OfferedTool]:
        listed = await self.listing.one(tenant, server_in(name))
        if listed is not None:
            if listed.problem is not None:
                raise listed.problem
            for tool in listed.tools:
                if tool_name(listed.server.name, tool.name) == name:
                    return listed.server, tool
        raise NotFound("tool", name[:200], hint="list the tools")

    async def _require_unchanged(self, server: ToolServer) -> None:
        """What was allowed is a use of this server, and not of what is in its place by now."""
        if server not in await self.listing.servers.list(server.tenant):
            hint = "list the tools, and call again if it is still there"
            raise Conflict(f"{server.name} was removed or registered anew before its tool was used", hint=hint)

    async def _answered(self, server: ToolServer, tool: OfferedTool, arguments: Mapping[str, Any]) -> ToolAnswer:
        caller = self.listing.caller
        if caller is None:
            raise NotConfigured("This server uses no tools of others")
        credential = await self.listing.credential(server)
        async with self.redaction.of_errors(server.tenant):
            answer = await caller.call(server, tool.name, arguments, credential)
        return rewritten(answer, (await self.redaction.of(server.tenant)).whole)

    async def _record(self, tenant: TenantId, who: Actor, name: str, outcome: Outcome, said: Mapping[str, Any]) -> None:
        """What was done is not undone because it cannot be written down now: it is counted, and written later."""
        try:
            await self.recording.record(tenant, who, _ACTION, f"tool/{name}", outcome, said)
        except CodeTetherError:
            self.recording.count(tenant, who, _ACTION, f"tool/{name}", outcome)
