"""The blobs of what was erased go within minutes, whoever dies meanwhile, and none that something else needs."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from contextlib import suppress
from datetime import timedelta

import pytest

from codetether_adapters.memory import MemoryBlobs
from codetether_core.access import Principal
from codetether_core.artifacts import BlobId
from codetether_core.errors import Conflict, NotFound, Unavailable
from codetether_core.ids import SessionId, TenantId
from codetether_core.sessions import Session, SessionMessage
from codetether_core.tasks import GLOBAL, Task
from tests.services.conftest import FakeClock
from tests.services.warehouse import DAY, A, B, Warehouse, open_warehouse

pytestmark = pytest.mark.anyio

MINUTE = timedelta(minutes=1)


@pytest.fixture
async def house(anyio_backend: str) -> AsyncIterator[Warehouse]:
    async with open_warehouse() as house:
        yield house


def admin(tenant: TenantId = A) -> Principal:
    return Principal(name="root", tenant=tenant, roles=frozenset({"admin"}))


async def done(house: Warehouse, *files: bytes, tenant: TenantId = A) -> Task:
    """A task that has ended and left these."""
    task, word = await house.running(tenant)
    for number, data in enumerate(files):
        await house.services.attaching.attach(tenant, word, task.id, f"{number}.txt", "", data)
    return await house.services.reporting.complete(tenant, word, task.id, "done")


async def erased(house: Warehouse, *tasks: Task) -> None:
    for task in tasks:
        await house.services.erasing.task(admin(task.tenant), task.id)


async def left(house: Warehouse, tenant: TenantId = A) -> int:
    """How many notes there are."""
    return len(await house.backend.leftovers.list(tenant))


async def test_what_only_the_erased_task_named_goes(house: Warehouse) -> None:
    """Of each tenant; what another task, or another tenant's, has as well stays."""
    for tenant in (A, B):
        gone = await done(house, b"only", b"both", tenant=tenant)
        await done(house, b"both", b"other", tenant=tenant)
        house.wait(10 * MINUTE)
        await erased(house, gone)
    assert len(await house.kept()) == 3
    assert await house.services.clearing.clear() == 2
    for tenant in (A, B):
        assert await house.kept(tenant) == await house.named(tenant)
        assert len(await house.kept(tenant)) == 2
        assert await left(house, tenant) == 0
    assert await house.services.clearing.clear() == 0


async def test_the_last_of_several_that_named_it_takes_it_along(house: Warehouse) -> None:
    tasks = [await done(house, b"shared") for _ in range(3)]
    house.wait(10 * MINUTE)
    for task in tasks[:2]:
        await erased(house, task)
        assert await house.services.clearing.clear() == 0
    await erased(house, tasks[2])
    assert await house.services.clearing.clear() == 1
    assert await house.kept() == set()


async def test_filed_logs_and_transcripts_go_too(house: Warehouse) -> None:
    """Those of the erased task and session, and of no others."""
    tasks = [await done(house) for _ in range(2)]
    now = house.clock.now()
    for id in ("gone", "stays"):
        session = Session(
            id=SessionId(id), tenant=A, codebase=GLOBAL, created_at=now, updated_at=now, synced_at=now, title=id
        )
        said = SessionMessage(id="m", session=session.id, role="user", created_at=now, parts=(id,))
        await house.services.conversation.upsert(admin(), session, [said])
    house.wait(2 * DAY)
    while await house.services.maintenance.forget():
        pass
    (segment,) = (await house.backend.tasks.get(A, tasks[1].id)).log
    transcript = (await house.backend.sessions.get(A, GLOBAL, SessionId("stays"))).transcript
    house.wait(10 * MINUTE)
    assert len(await house.kept()) == 4
    await erased(house, tasks[0])
    assert await house.services.erasing.session(admin(), GLOBAL, SessionId("gone")) == 0
    assert await house.services.clearing.clear() == 2
    assert await house.kept() == {segment.blob, transcript}


async def test_what_was_just_put_waits_for_whoever_is_going_to_name_it(house: Warehouse) -> None:
    """By the blobs' own clock: these bytes come a second time while the first task goes, and are named after that."""
    gone = await done(house, b"the same")
    house.wait(10 * MINUTE)
    task, word = await house.running()
    await house.blobs.put(A, b"the same")
    await erased(house, gone)
    house.clock.at += DAY / 2
    assert await house.services.clearing.clear() == 0
    await house.services.attaching.attach(A, word, task.id, "a", "", b"the same")
    house.wait(10 * MINUTE)
    assert await house.services.clearing.clear() == 0
    assert await house.kept() == await house.named() != set()
    assert await left(house) == 0


@pytest.mark.parametrize("put", ["file", "log", "transcript"])
async def test_what_is_put_for_something_that_is_erased_just_then_goes_as_soon(
    house: Warehouse, monkeypatch: pytest.MonkeyPatch, put: str
) -> None:
    """Nobody names it, and it has the words that are to go."""
    now, id = house.clock.now(), SessionId("gone")
    task, word = await house.running()
    session = Session(id=id, tenant=A, codebase=GLOBAL, created_at=now, updated_at=now, synced_at=now)
    said = SessionMessage(id="m", session=id, role="user", created_at=now, parts=("word",))
    await house.services.conversation.upsert(admin(), session, [said])
    if put != "file":
        await house.services.reporting.complete(A, word, task.id, "done")
    if put == "transcript":
        await erased(house, task)

    async def late(tenant: TenantId, data: bytes | AsyncIterable[bytes]) -> BlobId:
        blob = await MemoryBlobs.put(house.blobs, tenant, data)  # type: ignore[arg-type]
        monkeypatch.undo()
        if put == "transcript":
            await house.services.erasing.session(admin(), GLOBAL, id)
        else:
            if put == "file":
                await house.services.reporting.complete(A, word, task.id, "done")
            await erased(house, task)
        return blob

    monkeypatch.setattr(house.blobs, "put", late)
    if put == "file":
        with pytest.raises(NotFound):
            await house.services.attaching.attach(A, word, task.id, "a", "", b"word")
    elif put == "log":
        house.wait(2 * DAY)
        await house.services.task_logs.file((await house.backend.log.oldest(house.clock.now(), 100)).records)
    else:
        house.wait(2 * DAY)
        await house.services.transcripts.file(house.clock.now(), 10)
    assert len(await house.kept()) == 1
    house.wait(10 * MINUTE)
    assert await house.services.clearing.clear() == 1
    assert await house.kept() == set()
    assert await left(house) == 0


async def test_who_names_too_late_puts_it_again(house: Warehouse) -> None:
    """What was held up between the two, for longer than anybody waits, is refused: nothing is named that may go."""
    task, word = await house.running()
    size = house.blobs.size

    async def slow(tenant: TenantId, id: BlobId) -> int:
        house.wait(2 * MINUTE)
        return await size(tenant, id)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(house.blobs, "size", slow)
        with pytest.raises(Unavailable, match="too long"):
            await house.services.attaching.attach(A, word, task.id, "a", "", b"slow")
    assert await house.named() == set()
    await house.services.attaching.attach(A, word, task.id, "a", "", b"slow")
    assert await house.kept() == await house.named()


@pytest.mark.parametrize("dies", ["before", "after"])
async def test_a_process_that_dies_leaves_nothing_behind(house: Warehouse, dies: str) -> None:
    """Before the task went: it stays with all that it has, and the note is thrown away. After: the rest is done."""
    task = await done(house, b"file")
    house.wait(10 * MINUTE)
    remove = house.backend.tasks.remove

    class Killed(BaseException):
        """No code of the process runs any more."""

    async def killed(*arguments: object) -> None:
        if dies == "after":
            await remove(*arguments)  # type: ignore[arg-type]
        raise Killed

    with pytest.MonkeyPatch.context() as patched, suppress(Killed):
        patched.setattr(house.backend.tasks, "remove", killed)
        await erased(house, task)
    other = house.beside()
    assert await left(house) == 1
    assert await other.services.clearing.clear() == (dies == "after")
    assert len(await house.kept()) == (dies == "before")
    house.wait(2 * 60 * MINUTE)
    assert await other.services.clearing.clear() == 0
    assert await left(house) == 0
    assert await house.kept() == await house.named()


async def test_two_replicas_do_it_at_once(house: Warehouse) -> None:
    task = await done(house, b"file")
    house.wait(10 * MINUTE)
    await erased(house, task)
    other, drop, found = house.beside(), house.blobs.drop, list[int]()

    async def late(*arguments: object) -> bool:
        if not found:
            found.append(0)
            found[0] = await other.services.clearing.clear()
        return await drop(*arguments)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(house.blobs, "drop", late)
        assert await house.services.clearing.clear() == 0
    assert found == [1]
    assert (await house.kept(), await left(house)) == (set(), 0)


async def test_blobs_that_may_be_another_stores_stay(house: Warehouse) -> None:
    """As with what is collected: it is said what to do."""
    task = await done(house, b"file")
    async with open_warehouse() as other:
        await other.record(1)
        marks = other.services.clearing.marks
        await house.blobs.put(TenantId("\0"), await marks._mark())
    house.wait(10 * MINUTE)
    await erased(house, task)
    with pytest.raises(Conflict, match="Another store"):
        await house.services.clearing.clear()
    assert (len(await house.kept()), await left(house)) == (1, 1)
    house.wait(91 * DAY)
    assert await house.services.clearing.clear() == 1


async def test_it_goes_on_by_itself(house: Warehouse) -> None:
    """Every minute, and at once when it begins."""
    task = await done(house, b"file")
    house.wait(10 * MINUTE)
    await erased(house, task)
    looked = list[int]()

    class Enough(Exception):
        """Of it."""

    async def enough(clock: FakeClock, span: timedelta) -> None:
        looked.append(len(await house.kept()))
        assert timedelta() < span <= MINUTE
        raise Enough

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(FakeClock, "sleep", enough)
        with pytest.raises(Enough):
            await house.services.clearing.run()
    assert looked == [0]
