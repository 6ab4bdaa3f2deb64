"""What all tools, resources and prompts work with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from attrs import Factory, field, frozen

from codetether_adapters.mcp.caller import Exchange
from codetether_core.access import Principal
from codetether_core.codebases import Codebase
from codetether_core.errors import Invalid, NotFound
from codetether_core.ids import CodebaseId, SessionId, TaskId
from codetether_core.ports import Authorizer
from codetether_core.services import OTHERS, Ownership, Reach, Services
from codetether_core.sessions import Session
from codetether_core.tasks import ANYWHERE, Task

__all__ = ["Hub"]

_NAMED: Final = 5


@frozen(kw_only=True)
class Hub:
    """The services, and what belongs to whom. ``default_agent`` is the type of agent that runs what names none."""

    services: Services = field(repr=False)
    authorizer: Authorizer
    default_agent: str = "build"
    version: str = "0"
    ownership: Ownership = field(
        default=Factory(lambda self: Ownership(self.authorizer), takes_self=True), init=False, repr=False
    )

    async def reach(self, principal: Principal) -> Reach:
        """Whose tasks the principal may see."""
        return await self.ownership.reach(principal, OTHERS)

    async def task(self, exchange: Exchange, id: str) -> Task:
        """A task of the caller's; ``NotFound`` also for one that it may not know of."""
        principal = exchange.principal
        task = await self.services.backend.tasks.get(principal.tenant, TaskId(id))
        if task.created_by != principal.name and not (await self.reach(principal)).covers(task.created_by):
            raise NotFound("task", id)
        return task

    async def codebase(self, exchange: Exchange, named: str) -> Codebase:
        """The codebase of that id, or the only one of that name; ``NotFound``, ``Invalid`` if there are more."""
        tenant = exchange.principal.tenant
        try:
            return await self.services.backend.codebases.get(tenant, CodebaseId(named))
        except NotFound:
            found = [each for each in await self.services.backend.codebases.list(tenant) if each.name == named]
        if len(found) > 1:
            ids = ", ".join(f"{each.id} ({each.path})" for each in found[:_NAMED])
            raise Invalid("codebase", f"is the name of {len(found)} codebases", hint=f"use an id: {ids}")
        if not found:
            raise NotFound("codebase", named)
        return found[0]

    async def place(self, exchange: Exchange, named: str) -> CodebaseId:
        """Where to work: a codebase's id, or the word for nowhere in particular."""
        if named in ANYWHERE:
            return CodebaseId(named)
        return (await self.codebase(exchange, named)).id

    async def session(self, exchange: Exchange, id: str, codebase: str | None = None) -> Session:
        """The session of that id, the last updated one where several codebases have one of it; ``NotFound``."""
        services, tenant = self.services, exchange.principal.tenant
        if codebase is not None:
            return await services.backend.sessions.get(tenant, await self.place(exchange, codebase), SessionId(id))
        known = [each.id for each in await services.backend.codebases.list(tenant)]
        found: list[Session] = []
        for each in (*known, *sorted(ANYWHERE)):
            try:
                found.append(await services.backend.sessions.get(tenant, each, SessionId(id)))
            except NotFound:
                continue
        if not found:
            raise NotFound("session", id)
        return max(found, key=lambda session: session.updated_at)

    async def names(self, exchange: Exchange, codebases: Sequence[CodebaseId]) -> dict[CodebaseId, str]:
        """What people call them, as far as they are known."""
        wanted = set(codebases)
        known = await self.services.backend.codebases.list(exchange.principal.tenant)
        return {each.id: each.name for each in known if each.id in wanted}
