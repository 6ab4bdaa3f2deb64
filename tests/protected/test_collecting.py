"""Encrypted blobs are collected, and copied, as they are kept."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from codetether_adapters.protected import EncryptedBlobs
from codetether_core.services import AsKept, Services
from tests.protected.opening import keys_of
from tests.services.warehouse import DAY, A, Warehouse, open_warehouse, services_over

pytestmark = pytest.mark.anyio


@pytest.fixture
async def house(anyio_backend: str) -> AsyncIterator[Warehouse]:
    """One whose blobs are encrypted on their way in."""
    async with open_warehouse() as house:
        keys = keys_of(house.backend)
        encrypted = EncryptedBlobs(house.blobs, keys, keys.cipher, on=True)
        kept = AsKept(house.backend, house.blobs)
        services: Services = services_over(house.backend, encrypted, house.clock, kept=kept)
        yield Warehouse(house.backend, services, house.blobs, house.clock, house.theirs)


async def test_what_is_named_stays_and_the_rest_goes(house: Warehouse) -> None:
    task, word = await house.running()
    for data in (b"first", b"second"):
        await house.services.attaching.attach(A, word, task.id, "a", "", data)
    house.wait(2 * DAY)
    assert (await house.services.collecting.collect()).blobs == 1
    assert await house.kept() == await house.named()


async def test_what_left_the_trail_is_found_and_copied_whole(house: Warehouse) -> None:
    """What a record in an encrypted blob names, too; the sizes are those of what is encrypted."""
    for _ in range(4):
        await house.record(900)
        house.wait(2 * DAY)
        await house.services.trail_upkeep.filing.file()
    house.wait(2 * DAY)
    blobs = await house.kept()
    assert len(blobs) >= 3
    assert (await house.services.collecting.collect()).blobs == 0
    copied = [entry.data async for entry in house.services.archiving.copy(A) if entry.kind == "blob"]
    assert {data["id"] for data in copied} == blobs
    for data in copied:
        assert data["size"] == await house.blobs.size(A, data["id"])
