"""What the audit trail hears of requests.

A change is recorded where it is made. Here it is told of what changed nothing: refusals one by one where somebody known
is refused or tries to sign in, everything else as counts.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeAlias

from attrs import frozen

from codetether_adapters.http.addresses import network_of
from codetether_adapters.http.problems import status_of
from codetether_adapters.http.request import Request
from codetether_core.access import LEASE, PUBLIC
from codetether_core.audit import Act, Actor, Outcome
from codetether_core.errors import CodeTetherError, DeniedByPolicy, PermissionDenied, Unauthenticated
from codetether_core.services import Recording

__all__ = ["Acts", "RequestTrail", "nobody_else_acts"]

Acts: TypeAlias = Callable[[Actor], AbstractContextManager[Act]]
"""Within the context the actor is who acts."""


def nobody_else_acts(actor: Actor) -> AbstractContextManager[Act]:
    """An act that no store asks for."""
    return nullcontext(Act(actor))


@frozen
class RequestTrail:
    """Tells the trail."""

    recording: Recording

    def answered(self, request: Request) -> None:
        """The handler has done what it was asked for."""
        if request.permission != PUBLIC and not request.act.records:
            self._count(request, Outcome.FAILURE if request.failed else Outcome.SUCCESS)

    async def refused(self, request: Request, error: Exception) -> None:
        """It has not. What cannot be recorded now is counted, so that it is recorded later."""
        if not request.route:
            return
        match error:
            case PermissionDenied():
                await self._record(request, error)
            case Unauthenticated() if request.permission == PUBLIC:
                await self._record(request, error)
            case Unauthenticated():
                request.act.actor = _anybody(request.act.actor)
                self._count(request, Outcome.DENIED)
            case _:
                self._count(request, Outcome.FAILURE)

    async def _record(self, request: Request, error: PermissionDenied | Unauthenticated) -> None:
        metadata: dict[str, Any] = {"method": request.method, "status": status_of(error), "code": error.code}
        if isinstance(error, DeniedByPolicy):
            metadata["rule"] = error.rule
        resource = request.subject or request.path
        try:
            await self.recording.record(
                request.tenant, request.act.actor, _action(request), resource, Outcome.DENIED, metadata
            )
        except CodeTetherError:
            self._count(request, Outcome.DENIED)

    def _count(self, request: Request, outcome: Outcome) -> None:
        self.recording.count(request.tenant, request.act.actor, _action(request), request.route, outcome)


def _anybody(actor: Actor) -> Actor:
    """A stranger, of whom there may be as many as there are addresses."""
    return Actor(name=actor.name, ip=network_of(actor.ip))


def _action(request: Request) -> str:
    """What was asked for: the permission, or what is tried without one."""
    return f"{request.method} {request.route}" if request.permission in (LEASE, PUBLIC) else request.permission
