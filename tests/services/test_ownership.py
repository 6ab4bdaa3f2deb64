"""Who may act for the owner of something is the policy's to say, whichever it is."""

from __future__ import annotations

import pytest
from attrs import define, field

from codetether_adapters.memory.backend import open_backend
from codetether_core.access import Principal
from codetether_core.errors import NotFound, PermissionDenied
from codetether_core.ids import TenantId, WorkerId
from codetether_core.services import assemble
from codetether_core.workers import Worker
from tests.http.resources.world import KEY, CountingDice, FakeClock

pytestmark = pytest.mark.anyio

ANN, BEN = (Principal(name=name, roles=frozenset({"editor"})) for name in ("ann", "ben"))
OPERATOR, ADMIN = (Principal(name=role, roles=frozenset({role})) for role in ("operator", "admin"))


@define(eq=False)
class Whitelist:
    """A policy by names (an ``Authorizer``)."""

    allowed: dict[str, str]
    asked: list[tuple[str, str]] = field(factory=list)

    async def authorize(self, principal: Principal, permission: str, *, tenant: TenantId | None = None) -> None:
        self.asked.append((principal.name, permission))
        if self.allowed.get(permission) != principal.name:
            raise PermissionDenied("no", permission=permission)


def worker_of(principal: Principal) -> Worker:
    now = FakeClock().now()
    return Worker(
        id=WorkerId("w1"), tenant=principal.tenant, principal=principal.name, name="n", registered_at=now, last_seen=now
    )


async def test_by_their_roles_if_there_is_no_other_policy() -> None:
    async with open_backend() as backend:
        registration = assemble(backend, FakeClock(), CountingDice()).registration
        await registration.add_worker(ANN, worker_of(ANN))
        await registration.greet_worker(ANN, WorkerId("w1"))
        await registration.greet_worker(OPERATOR, WorkerId("w1"))
        with pytest.raises(PermissionDenied, match="Another principal"):
            await registration.greet_worker(BEN, WorkerId("w1"))


async def test_as_another_policy_says_if_there_is_one() -> None:
    """It may give to others what the roles have, and take it from those who have them."""
    policy = Whitelist({"registrations:override": "ben", "keys:admin": "ben"})
    async with open_backend() as backend:
        services = assemble(backend, FakeClock(), CountingDice(), key=KEY, authorizer=policy)
        await services.registration.add_worker(ANN, worker_of(ANN))
        await services.registration.greet_worker(BEN, WorkerId("w1"))
        with pytest.raises(PermissionDenied):
            await services.registration.greet_worker(ADMIN, WorkerId("w1"))
        key, _ = await services.issuing.issue_key(ANN, name="ci")
        assert [each.id for each in await services.issuing.list(BEN)] == [key.id]
        assert not await services.issuing.list(ADMIN)
        with pytest.raises(NotFound):
            await services.issuing.revoke(ADMIN, key.id)
        with pytest.raises(PermissionDenied):
            await services.issuing.revoke_all(ADMIN, "ann")
        assert [each.id for each in await services.issuing.revoke_all(BEN, "ann")] == [key.id]
