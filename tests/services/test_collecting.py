"""What nobody names goes after a day, and nothing else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from itertools import pairwise

import pytest
from attrs import evolve

from codetether_core.access import Principal
from codetether_core.artifacts import KeptBlob
from codetether_core.errors import Conflict, Unavailable
from codetether_core.ids import SessionId, TenantId
from codetether_core.services import COLLECTED, Collected, Collecting
from codetether_core.sessions import Session, SessionMessage
from codetether_core.tasks import GLOBAL
from tests.services.warehouse import DAY, A, B, Warehouse, open_warehouse

pytestmark = pytest.mark.anyio

HOUR = timedelta(hours=1)


@pytest.fixture
async def house(anyio_backend: str) -> AsyncIterator[Warehouse]:
    async with open_warehouse() as house:
        yield house


async def told(house: Warehouse, tenant: TenantId = A) -> list[tuple[str, object]]:
    """What the trail says of collecting."""
    chains = await house.backend.audit.chains(tenant)
    links = [link for chain in chains for link in await house.backend.audit.read(tenant, chain.name, limit=9999)]
    records = [json.loads(link.body) for link in links]
    return [(each["outcome"], each["metadata"]) for each in records if each["action"] == COLLECTED]


async def test_what_was_uploaded_and_never_named_goes_after_a_day(house: Warehouse) -> None:
    """Of each tenant, and the trail says so; what is named stays, and so does what is younger."""
    for tenant in (A, B):
        task, word = await house.running(tenant)
        await house.services.attaching.attach(tenant, word, task.id, "a.txt", "", b"named")
        await house.blobs.put(tenant, b"left")
    assert (await house.services.collecting.collect()).blobs == 0
    house.wait(DAY)
    young = await house.blobs.put(A, b"young")
    assert (await house.services.collecting.collect()).blobs == 0
    house.wait(HOUR)
    assert (await house.services.collecting.collect()).blobs == 2
    assert await house.kept(A) == {*await house.named(A), young}
    assert await house.kept(B) == await house.named(B) != set()
    assert await told(house, A) == await told(house, B) == [("success", {"count": 1})]
    assert house.services.collecting.last.at == house.clock.now()


async def test_what_was_named_and_is_no_more_goes(house: Warehouse) -> None:
    """A file in whose place there is another; the same bytes under another name keep theirs."""
    task, word = await house.running()
    for name, data in (("a", b"first"), ("b", b"both"), ("c", b"both"), ("a", b"second"), ("c", b"third")):
        await house.services.attaching.attach(A, word, task.id, name, "", data)
    house.wait(DAY + HOUR)
    assert (await house.services.collecting.collect()).blobs == 1
    assert len(await house.kept()) == 3
    assert await house.kept() == await house.named()


async def test_what_was_put_again_is_as_good_as_new(house: Warehouse) -> None:
    """Also between the look at the names and the end."""
    left = await house.blobs.put(A, b"left")
    await house.running()
    house.wait(DAY + HOUR)
    drop = house.blobs.drop
    task, word = await house.running()

    async def late(tenant: TenantId, blob: KeptBlob) -> bool:
        await house.services.attaching.attach(A, word, task.id, "a", "", b"left")
        return await drop(tenant, blob)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(house.blobs, "drop", late)
        assert (await house.services.collecting.collect()).blobs == 0
    assert await house.kept() == {left} == await house.named()


async def test_old_logs_and_transcripts_stay(house: Warehouse) -> None:
    """Until there is a new transcript in the place of one."""
    task, word = await house.running()
    await house.services.reporting.complete(A, word, task.id, "done")
    user = Principal(name="ann", tenant=A, roles=frozenset({"editor"}))
    id = SessionId("s")
    for text in ("a", "b"):
        now = house.clock.now()
        session = Session(id=id, tenant=A, codebase=GLOBAL, created_at=now, updated_at=now, synced_at=now)
        message = SessionMessage(id=text, session=id, role="user", created_at=now, parts=(text,))
        await house.services.conversation.upsert(user, session, [message])
        house.wait(2 * DAY)
        while await house.services.maintenance.forget():
            pass
    house.wait(2 * DAY)
    (segment,) = (await house.backend.tasks.get(A, task.id)).log
    transcript = (await house.backend.sessions.get(A, GLOBAL, id)).transcript
    assert len(await house.kept()) == 3
    assert (await house.services.collecting.collect()).blobs == 1
    assert await house.kept() == {segment.blob, transcript}


async def test_what_left_the_trail_stays_though_only_what_left_it_names_it(house: Warehouse) -> None:
    """For ever: the record of the first filing is in the blob of a later one."""
    gone = 0
    for _ in range(4):
        await house.record(900)
        house.wait(2 * DAY)
        gone += await house.services.trail_upkeep.filing.file()
    blobs = await house.kept()
    assert gone > 2500 and len(blobs) >= 3
    (chain,) = await house.backend.audit.chains(A)
    live = b"".join([link.body for link in await house.backend.audit.read(A, chain.name, limit=9999)])
    assert any(blob.encode() not in live for blob in blobs)
    house.wait(2 * DAY)
    for replica in (house, house.beside()):
        assert (await replica.services.collecting.collect()).blobs == 0
    assert await house.kept() == blobs
    copied = [entry.data async for entry in house.services.archiving.copy(A) if entry.kind == "blob"]
    assert sorted(data["id"] for data in copied) == sorted(blobs)


async def test_where_not_all_names_are_known_nothing_goes(house: Warehouse) -> None:
    """A part of the trail is gone: what it named nobody can say. Others are none the worse."""
    await house.running(B)
    await house.record(900)
    house.wait(2 * DAY)
    assert await house.services.trail_upkeep.filing.file()
    (filed,) = await house.kept()
    await house.blobs.delete(A, filed)
    for tenant in (A, B):
        await house.blobs.put(tenant, b"left")
    house.wait(2 * DAY)
    done = await house.services.collecting.collect()
    assert (done.blobs, done.failed) == (1, 1)
    assert len(await house.kept(A)) == 1 and await house.kept(B) == set()
    assert await told(house) == [("failure", {"id": filed, "error": "blob_not_found"})]


async def test_a_store_that_is_not_whole_collects_nothing(house: Warehouse) -> None:
    await house.running()
    left = await house.blobs.put(A, b"left")
    house.wait(2 * DAY)
    await house.backend.set_whole(False)
    await house.services.collecting.collect()
    assert await house.kept() == {left}
    await house.backend.set_whole(True)
    assert (await house.services.collecting.collect()).blobs == 1


@pytest.mark.parametrize("wrong", [-1000 * DAY, 1000 * DAY])
async def test_our_clock_is_not_asked_how_old_a_blob_is(house: Warehouse, wrong: timedelta) -> None:
    await house.running()
    house.clock.at += wrong
    left = await house.blobs.put(A, b"left")
    assert (await house.services.collecting.collect()).blobs == 0
    assert await house.kept() == {left}
    house.theirs.at += 2 * DAY
    assert (await house.services.collecting.collect()).blobs == 1


async def test_blobs_of_two_stores_are_collected_by_neither(house: Warehouse) -> None:
    """Until one of them has been gone for long."""
    await house.running()
    await house.blobs.put(A, b"left")
    house.wait(2 * DAY)
    async with open_warehouse() as fresh:
        other = evolve(fresh, blobs=house.blobs, clock=house.clock, theirs=house.theirs).beside()
        await other.running()
        assert (await house.services.collecting.collect()).blobs == 1
        await house.blobs.put(A, b"named by nobody there")
        house.wait(2 * DAY)
        for each in (other, house, other):
            with pytest.raises(Conflict, match="Another store") as refused:
                await each.services.collecting.collect()
            assert "of its own" in refused.value.hint
        house.wait(90 * DAY)
        assert (await other.services.collecting.collect()).blobs == 1
        assert (await other.services.collecting.collect()).blobs == 0


async def test_many_are_collected_in_batches(house: Warehouse) -> None:
    """However their addresses lie among those that stay."""
    house.services.collecting.batch = 3
    task, word = await house.running()
    for number in range(8):
        await house.services.attaching.attach(A, word, task.id, f"{number}", "", b"named %d" % number)
        await house.blobs.put(A, b"left %d" % number)
    house.wait(2 * DAY)
    assert (await house.services.collecting.collect()).blobs == 8
    assert await house.kept() == await house.named()


async def test_what_was_broken_off_is_gone_on_with(house: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the next look, though the mark says that it was done today."""
    await house.running()
    monkeypatch.setattr(house.blobs, "_now", house.clock.now)
    await house.blobs.put(A, b"left")
    house.wait(2 * DAY)
    collecting, drop, begun = house.services.collecting, house.blobs.drop, house.clock.now()

    async def away(*of: object) -> bool:
        raise Unavailable("The store of blobs does not answer")

    async def seen(*of: object) -> bool:
        assert house.clock.now() - begun == HOUR
        raise Enough

    monkeypatch.setattr(house.blobs, "drop", away)
    with pytest.raises(Unavailable):
        await collecting.run()
    monkeypatch.setattr(house.blobs, "drop", seen)
    with pytest.raises(Enough):
        await collecting.run()
    monkeypatch.setattr(house.blobs, "drop", drop)
    assert (await collecting.collect()).blobs == 1


class Enough(Exception):
    """Three days have passed."""


async def test_it_is_done_once_a_day_by_whoever_comes_first(house: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also at the start, and again after what failed."""
    await house.running()
    monkeypatch.setattr(house.blobs, "_now", house.clock.now)
    begun, done = house.clock.now(), list[timedelta]()
    collect = Collecting.collect

    async def counted(self: Collecting) -> Collected:
        done.append(house.clock.now() - begun)
        if done[-1] > 3 * DAY:
            raise Enough
        if len(done) == 1:
            raise Unavailable("The store of blobs does not answer")
        return await collect(self)

    async def run(collecting: Collecting) -> None:
        """As somebody does who begins again after an error."""
        while True:
            with suppress(Unavailable):
                await collecting.run()

    monkeypatch.setattr(Collecting, "collect", counted)
    with pytest.raises(ExceptionGroup) as ended:
        async with asyncio.TaskGroup() as replicas:
            for each in (house, house.beside()):
                replicas.create_task(run(each.services.collecting))
    assert ended.group_contains(Enough)
    first, second, *others = [at for at in done if at <= 3 * DAY]
    assert first == timedelta() and second <= 2 * HOUR
    assert len(others) == 2
    assert all(DAY <= later - earlier <= DAY + 2 * HOUR for earlier, later in pairwise([second, *others]))
