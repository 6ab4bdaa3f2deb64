"""The one agent that clients of the protocol see: everything that its operations work with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, Protocol

from attrs import Factory, field, frozen

from codetether_adapters.a2a.methods import Operation
from codetether_adapters.a2a.request import Request
from codetether_adapters.a2a_wire.values import PushConfig
from codetether_core.access import Principal
from codetether_core.errors import NotFound
from codetether_core.ids import TaskId
from codetether_core.ports import Authorizer
from codetether_core.services import OTHERS, Ownership, Reach, Services
from codetether_core.tasks import Task

__all__ = ["Agent", "ExtendedCards", "PushConfigs"]

_BEAT: Final = timedelta(seconds=15)


class PushConfigs(Protocol):
    """Webhooks of tasks; ``release`` is that of the client, in whose words it wants to be told."""

    async def check(self, config: PushConfig, field: str, task: Task | None = None) -> None:
        """``Invalid`` names the member, below ``field``, for which it could not be kept, by ``task`` or a new one.

        ``Conflict`` if the task has too many.
        """
        ...

    async def create(self, request: Request, task: Task, config: PushConfig, release: str) -> PushConfig:
        """Keep one that was checked, in place of the task's one of that id; as it is kept."""
        ...

    async def get(self, principal: Principal, task: Task, id: str) -> PushConfig:
        """One of a task's; ``NotFound``."""
        ...

    async def list(
        self, principal: Principal, task: Task, *, limit: int, after: str
    ) -> tuple[Sequence[PushConfig], str]:
        """A page of a task's, and the token of the next, which is empty if there is none."""
        ...

    async def delete(self, principal: Principal, task: Task, id: str) -> None:
        """Forget it; one that is not there is forgotten already."""
        ...


class ExtendedCards(Protocol):
    """What those whom we know are told of us."""

    async def extended(self, principal: Principal, base_url: str, release: str) -> Mapping[str, Any]:
        """The card for this one, in the words of a release; ``base_url`` is our own address as the client has it."""
        ...


@frozen(kw_only=True)
class Agent:
    """``default_agent`` is the type of agent that runs a task whose message names none.

    Without ``push`` there are no webhooks. Streams give a sign of life every ``beat``.
    """

    services: Services = field(repr=False)
    authorizer: Authorizer
    cards: ExtendedCards
    default_agent: str = "build"
    push: PushConfigs | None = None
    beat: timedelta = _BEAT
    ownership: Ownership = field(
        default=Factory(lambda self: Ownership(self.authorizer), takes_self=True), init=False, repr=False
    )

    async def admit(self, request: Request, operation: Operation) -> None:
        """Note what is asked; ``PermissionDenied`` if the principal may not."""
        request.note(operation)
        await self.authorizer.authorize(request.principal, operation.permission)

    async def reach(self, principal: Principal) -> Reach:
        """Whose tasks the principal may see."""
        return await self.ownership.reach(principal, OTHERS)

    async def task(self, principal: Principal, id: str) -> Task:
        """A task of the principal's; ``NotFound`` also for one that it may not know of."""
        task = await self.services.backend.tasks.get(principal.tenant, TaskId(id))
        if task.created_by != principal.name and not (await self.reach(principal)).covers(task.created_by):
            raise NotFound("task", id)
        return task
