"""Registering secrets, and handing them to the runs that need them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final

from attrs import frozen

from codetether_core.access import Principal
from codetether_core.errors import Conflict, Invalid, NotConfigured, NotFound, PermissionDenied, Undecipherable
from codetether_core.events import CREDENTIALS, Event, Topic
from codetether_core.ids import TenantId
from codetether_core.ports import Clock, RecordStore
from codetether_core.redaction import Redactor, mark, require_secret
from codetether_core.secrets import HandedSecret, Secret, changed, registered
from codetether_core.services.ownership import SECRETS, SENDING, Ownership
from codetether_core.services.redaction import Redaction
from codetether_core.services.swapping import until_swapped
from codetether_core.tasks import Task
from codetether_core.tasks.matching import RELAYED

__all__ = ["SecretKeeping"]

_MOST: Final = 100


@frozen
class SecretKeeping:
    """A tenant's secrets. Nobody is ever told the value of one, but a run that needs it."""

    secrets: RecordStore[Secret]
    redaction: Redaction
    ownership: Ownership
    clock: Clock

    async def register(
        self,
        principal: Principal,
        name: str,
        value: str,
        *,
        variable: str | None = None,
        agents: frozenset[str] = frozenset(),
    ) -> Secret:
        """Keep it, in place of the one of that name; from now on it is taken out of whatever is written.

        ``Invalid`` for what could not be, ``Conflict`` if there are too many.
        """
        require_secret(name, value)
        tenant = principal.tenant
        sealed = await self.redaction.sealed(tenant, name, value)

        async def attempt() -> Secret:
            await self._fitting(tenant, name, value, variable)
            now = self.clock.now()
            new = registered(
                name, tenant, sealed=sealed, variable=variable, agents=agents, created_by=principal.name, now=now
            )
            try:
                old = await self.secrets.get(tenant, name)
            except NotFound:
                await self.secrets.add(new, [_event("secret.registered", new, principal, now)])
                return new
            new = changed(old, sealed=sealed, variable=new.variable, agents=new.agents, now=now)
            await self.secrets.replace(old, new, [_event("secret.changed", new, principal, now)])
            return new

        try:
            return await until_swapped(attempt, "secret", name)
        finally:
            self.redaction.forget(tenant)

    async def list(self, principal: Principal) -> Sequence[Secret]:
        """All of them, by name."""
        return await self.secrets.list(principal.tenant)

    async def remove(self, principal: Principal, name: str) -> Secret:
        """Forget it; ``NotFound``. What was written while it was registered stays without it."""

        async def attempt() -> Secret:
            old = await self.secrets.get(principal.tenant, name)
            await self.secrets.remove(old, [_event("secret.removed", old, principal, self.clock.now())])
            return old

        try:
            return await until_swapped(attempt, "secret", name)
        finally:
            self.redaction.forget(principal.tenant)

    async def handed(self, principal: Principal, task: Task) -> Sequence[HandedSecret]:
        """What a run of the task is handed; nothing if the policy does not trust its holder with it."""
        if not (await self.ownership.reach(principal, SECRETS)).everybody:
            return []
        return [
            HandedSecret(name=each.id, variable=each.variable, value=await self.redaction.value(each))
            for each in await self.secrets.list(task.tenant)
            if each.variable is not None and (not each.agents or task.spec.agent_type in each.agents)
        ]

    async def require_sending(self, principal: Principal, name: str) -> None:
        """Whether the principal may have a secret sent to an agent elsewhere; ``NotFound`` if there is none.

        ``PermissionDenied`` for whoever may not say who is told it: to be handed it for a run is not enough, for the
        place where it is sent is then anybody's. Also for a secret that is for other agents alone.
        """
        if not (await self.ownership.reach(principal, SENDING)).everybody:
            raise PermissionDenied(f"{principal.name} may not {SENDING}", permission=SENDING)
        _sendable(await self.secrets.get(principal.tenant, name))

    async def sent(self, tenant: TenantId, name: str) -> str:
        """What a secret says, for an agent elsewhere.

        ``NotFound``, ``NotConfigured``, ``Undecipherable``; ``PermissionDenied`` if it is for other agents by now.
        """
        return await self.redaction.value(_sendable(await self.secrets.get(tenant, name)))

    async def _fitting(self, tenant: TenantId, name: str, value: str, variable: str | None) -> None:
        """Neither may the value be a part of what stands for another, nor another's a part of what stands for it.

        One that cannot be read any more has no say in that: it is to be replaced, too.
        """
        others = [each for each in await self.secrets.list(tenant) if each.id != name]
        if len(others) >= _MOST:
            raise Conflict(f"There are {_MOST} secrets", hint="remove one that is no longer needed")
        found = Redactor.of({name: value})
        for other in others:
            if variable is not None and other.variable == variable:
                raise Invalid("variable", f"is that of the secret {other.id}", hint="use another, or replace that one")
            confused = found.find(mark(other.id))
            with suppress(NotConfigured, Undecipherable):
                confused = confused or Redactor.of({other.id: await self.redaction.value(other)}).find(mark(name))
            if confused:
                raise Invalid("name", f"cannot be told apart from the secret {other.id}", hint="use another name")


def _sendable(secret: Secret) -> Secret:
    if secret.agents and RELAYED not in secret.agents:
        hint = f"add {RELAYED} to its agents, or name another"
        raise PermissionDenied(f"The secret {secret.id} is not for agents elsewhere", hint=hint)
    return secret


def _event(kind: str, secret: Secret, by: Principal, now: datetime) -> Event:
    """What the log says of it: never its value."""
    data = {"secret_id": secret.id, "name": secret.id, "by": by.name, "variable": secret.variable}
    return Event(Topic(secret.tenant, CREDENTIALS, f"secret/{secret.id}"), kind, now, data)
