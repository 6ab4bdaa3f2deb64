"""The installation's key is exchanged for all tenants at once, by whom the installation is entrusted to."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from attrs import evolve

from codetether_adapters.audited import Acting, AuditedBackend
from codetether_adapters.ciphers import Aes
from codetether_adapters.memory import open_backend
from codetether_core.access import DEFAULT_TENANT, Principal
from codetether_core.errors import Invalid, PermissionDenied, Undecipherable
from codetether_core.ids import TenantId
from codetether_core.ports import Backend
from codetether_core.services import Notes, Services, assemble
from tests.services.conftest import Dice, FakeClock

pytestmark = pytest.mark.anyio

OLD, NEW = ("old", bytes(range(32))), ("new", bytes(range(1, 33)))
TENANTS = [TenantId("acme"), TenantId("bolt"), DEFAULT_TENANT]
ROOT = Principal(name="root", roles=frozenset({"admin"}))
ANN = evolve(ROOT, name="ann", tenant=TENANTS[0])


def services(backend: Backend, *keys: tuple[str, bytes]) -> Services:
    return assemble(backend, FakeClock(), Dice(), cipher=Aes(keys))


@asynccontextmanager
async def encrypted(*tenants: TenantId) -> AsyncIterator[tuple[Backend, Sequence[str]]]:
    """A store in which each of them has a value under the old key."""
    async with open_backend() as backend:
        audited = AuditedBackend.over(backend, Notes(FakeClock(), Dice()).of, Acting())
        encryption = services(audited, OLD).encryption
        yield audited, [await encryption.encrypt(tenant, tenant.encode(), "here") for tenant in tenants]


async def told(backend: Backend, tenant: TenantId) -> Sequence[str]:
    """What was done to its keys, by its trail."""
    chains = await backend.audit.chains(tenant)
    links = [link for chain in chains for link in await backend.audit.read(tenant, chain.name, limit=100)]
    return [json.loads(link.body)["action"] for link in links]


async def test_every_tenant_may_do_without_the_old_key_then() -> None:
    async with encrypted(*TENANTS) as (backend, values):
        rotating = services(backend, NEW, OLD).rotating
        done = await rotating.rotate(ROOT, all_tenants=True)
        assert (done.rewrapped, done.tenants, done.added) == (3, 3, None)
        assert (await rotating.rotate(ROOT, all_tenants=True)).rewrapped == 0
        encryption = services(backend, NEW).encryption
        for tenant, value in zip(TENANTS, values, strict=True):
            assert await encryption.decrypt(tenant, value, "here") == tenant.encode()
            assert await told(backend, tenant) == ["data_key.added", "data_key.rewrapped"]


async def test_one_tenant_s_administrators_see_to_that_one() -> None:
    """Others stay as they are; new data keys are made for one's own tenant only."""
    async with encrypted(*TENANTS) as (backend, _):
        rotating = services(backend, NEW, OLD).rotating
        with pytest.raises(PermissionDenied, match="installation's administrators"):
            await rotating.rotate(ANN, all_tenants=True)
        with pytest.raises(Invalid, match="each tenant's own"):
            await rotating.rotate(ROOT, all_tenants=True, data_key=True)
        assert (await rotating.rotate(ANN)).rewrapped == 1
        wrapped = [key.wrapped_by for tenant in TENANTS for key in await backend.data_keys.list(tenant)]
        assert wrapped == ["new", "old", "old"]


async def test_one_that_is_damaged_keeps_nobody_back() -> None:
    """And is told of at the end."""
    async with encrypted(*TENANTS) as (backend, _):
        (broken,) = await backend.data_keys.list(TENANTS[0])
        await backend.data_keys.replace(broken, evolve(broken, wrapped="?", version=2))
        with pytest.raises(Undecipherable, match="of the tenant acme"):
            await services(backend, NEW, OLD).rotating.rotate(ROOT, all_tenants=True)
        wrapped = [key.wrapped_by for tenant in TENANTS for key in await backend.data_keys.list(tenant)]
        assert wrapped == ["old", "new", "new"]
