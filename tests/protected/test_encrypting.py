"""What goes into the store, and what comes out: encrypted once, read once, moved nowhere, and not searched."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from attrs import evolve, frozen

from codetether_adapters import memory
from codetether_adapters.protected import EncryptedBlobs, Encrypting, ProtectedBackend, inwards
from codetether_adapters.protected.pieces import HEAD, SEALED
from codetether_core.agents import SignIn
from codetether_core.approvals import Approval, ApprovalKind, ApprovalState
from codetether_core.artifacts import BlobId
from codetether_core.errors import NotFound, SearchUnavailable, Undecipherable
from codetether_core.events import AUDIT, Event, Record, Topic
from codetether_core.ids import ApprovalId, TaskId
from codetether_core.ports import ApprovalChange, Backend, BlobStore, SessionQuery, TaskQuery
from codetether_core.services import DataKeys, Encryption
from codetether_core.tasks import Task
from codetether_core.tool_servers import ToolServer
from contracts.ports.samples import CODEBASE, NOW, SECOND, TENANT, claimed, new_task, note
from tests.protected.opening import keys_of

pytestmark = pytest.mark.anyio

TOPIC = Topic.task(TENANT, CODEBASE, TaskId("t"))


@frozen
class Place:
    """A store, and the same behind encryption."""

    inner: Backend
    outer: ProtectedBackend
    passage: Encrypting
    keys: DataKeys


@asynccontextmanager
async def open_place() -> AsyncIterator[Place]:
    async with memory.open_backend() as inner:
        keys = keys_of(inner)
        passage = Encrypting(Encryption(keys, keys.cipher, keys.entropy), on=True)
        yield Place(inner, ProtectedBackend.over(inner, [passage]), passage, keys)


async def read(backend: Backend) -> Sequence[Record]:
    return (await backend.log.read(TOPIC, await backend.log.start())).records


async def test_words_are_hidden_and_the_rest_is_not() -> None:
    async with open_place() as place:
        task = new_task("t", title="a word", prompt="another")
        await place.outer.tasks.add(task)
        kept = await place.inner.tasks.get(TENANT, task.id)
        assert "word" not in repr(kept) and "another" not in repr(kept)
        assert evolve(kept, spec=task.spec) == task
        assert kept.spec.prompt.startswith("ct1.key-000001.")
        assert await place.outer.tasks.get(TENANT, task.id) == task


async def test_what_a_question_was_answered_with_is_hidden() -> None:
    """The message, too, that said so."""
    async with open_place() as place:
        task = new_task("t")
        running = claimed(task)
        await place.outer.tasks.add(task)
        asked = Approval(
            id=ApprovalId("a"),
            tenant=TENANT,
            task=task.id,
            codebase=CODEBASE,
            grant="",
            kind=ApprovalKind.QUESTION,
            prompt="a word?",
            created_at=NOW,
            deadline=NOW + SECOND,
        )
        said = evolve(asked, state=ApprovalState.ANSWERED, text="a word", reply={"parts": [{"text": "a word"}]})
        await place.outer.tasks.replace(task, running, approvals=[ApprovalChange(None, said)])
        kept = await place.inner.approvals.get(TENANT, said.id)
        assert "word" not in repr(kept) and kept.state is ApprovalState.ANSWERED
        assert await place.outer.approvals.get(TENANT, said.id) == said


async def test_what_a_server_of_tools_is_said_to_be_is_hidden() -> None:
    """What it takes to use it is not: where it is, how it is signed in to, which of its tools are meant."""
    async with open_place() as place:
        server = ToolServer(
            name="issues",
            tenant=TENANT,
            url="https://tools.example/mcp",
            registered_by="ann",
            registered_at=NOW,
            description="a word",
            sign_in=SignIn(header="Authorization", prefix="Bearer ", secret="key"),
        )
        await place.outer.tool_servers.add(server)
        kept = await place.inner.tool_servers.get(TENANT, "issues")
        assert kept.description.startswith("ct1.key-000001.") and evolve(kept, description="a word") == server
        assert await place.outer.tool_servers.list(TENANT) == [server]


async def test_what_was_asked_for_is_encrypted_once() -> None:
    """However often the task is written."""
    async with open_place() as place:
        await place.outer.tasks.add(new_task("t"))
        kept = (await place.inner.tasks.get(TENANT, TaskId("t"))).spec
        for version in range(2, 5):
            task = await place.outer.tasks.get(TENANT, TaskId("t"))
            await place.outer.tasks.replace(task, evolve(task, version=version, result=f"{version}"))
            present = await place.inner.tasks.get(TENANT, TaskId("t"))
            assert present.spec is kept
            assert present.result != f"{version}"
            assert (await place.outer.tasks.get(TENANT, TaskId("t"))).result == f"{version}"


async def test_a_record_is_read_once_for_all() -> None:
    """As long as anybody has it; renderings are kept beside it."""
    async with open_place() as place:
        await place.outer.log.append([note(TOPIC, "hush")])
        (first,), (again,) = await read(place.outer), await read(place.outer)
        assert first is again
        assert b"hush" in first.body
        (kept,) = await read(place.inner)
        assert kept is not first and b"hush" not in kept.body
        assert (kept.position, kept.number, kept.kind, kept.at) == (first.position, first.number, first.kind, first.at)
        first.frames["dialect"] = b"x"
        assert again.frames == {"dialect": b"x"} and not kept.frames


async def test_pages_are_bounded_by_what_is_kept() -> None:
    async with open_place() as place:
        await place.outer.log.append([note(TOPIC, "x" * 300) for _ in range(9)])
        start = await place.outer.log.start()
        page = await place.outer.log.read(TOPIC, start, limit=1000)
        assert 0 < sum(len(record.body) for record in page.records) <= 1000
        seen = list(page.records)
        while page.more:
            page = await place.outer.log.read(TOPIC, page.cursor, limit=1000)
            seen += page.records
            assert page.records
        assert [record.number for record in seen] == [*range(1, 10)]


async def test_words_are_good_for_no_other_place() -> None:
    """Whoever can write to the store can exchange none."""
    async with open_place() as place:
        for id in ("t", "u"):
            await place.outer.tasks.add(new_task(id, prompt=f"prompt of {id}"))
        mine, other = [await place.inner.tasks.get(TENANT, TaskId(id)) for id in ("t", "u")]
        await place.inner.tasks.replace(mine, evolve(mine, version=2, spec=other.spec))
        with pytest.raises(Undecipherable):
            await place.outer.tasks.get(TENANT, TaskId("t"))
        await place.outer.log.append([note(TOPIC, "hush")])
        (kept,) = await read(place.inner)
        moved = Event(Topic.task(TENANT, CODEBASE, TaskId("u")), kept.kind, kept.at, {"ct": kept.body.decode()[7:-2]})
        await place.inner.log.append([moved])
        with pytest.raises(Undecipherable):
            await place.outer.log.latest(moved.topic, [kept.kind], 1)


async def test_nothing_is_searched() -> None:
    async with open_place() as place:
        with pytest.raises(SearchUnavailable):
            await place.outer.log.search(TENANT, "x", ["a"], 1)
        with pytest.raises(SearchUnavailable):
            await place.outer.sessions.list(TENANT, SessionQuery(text="x"))
        assert await place.outer.sessions.list(TENANT, SessionQuery()) == ([], 0)


async def test_the_trail_stays_as_it_is() -> None:
    """It can be verified without a key."""
    async with open_place() as place:
        record = Event(Topic(TENANT, AUDIT), "done", NOW, {"by": "ann"})
        assert [*await inwards([place.passage], [record])] == [record]


async def test_nothing_to_do_is_nothing_done() -> None:
    """Not even a copy."""
    async with open_place() as place:
        off = Encrypting(Encryption(place.keys, place.keys.cipher, place.keys.entropy), on=False)
        for values in ([new_task("t")], [note(TOPIC)]):
            assert await off.into(values) is values
        tasks: list[Task] = [new_task("t")]
        assert await off.out_of(tasks) is tasks
        assert off.searchable


async def test_specs_are_forgotten_with_their_tasks() -> None:
    async with open_place() as place:
        for number in range(20):
            await place.outer.tasks.add(new_task(f"t{number}"))
        listed = [*await place.outer.tasks.list(TENANT, TaskQuery())]
        assert len(listed) == 20
        del listed
        gc.collect()
        assert not place.passage._specs._kept


async def whole(blobs: BlobStore, id: BlobId, start: int = 0, stop: int | None = None) -> bytes:
    async with blobs.open(TENANT, id, start=start, stop=stop) as chunks:
        return b"".join([chunk async for chunk in chunks])


async def test_a_blob_that_was_cut_or_rearranged_is_not_read() -> None:
    data = bytes(range(256)) * 800  # four pieces
    async with open_place() as place, memory.open_blobs("memory://") as inner:
        blobs = EncryptedBlobs(inner, place.keys, place.keys.cipher, on=True)
        id = await blobs.put(TENANT, data)
        kept = await whole(inner, id)
        assert data[:64] not in kept
        assert await blobs.url(TENANT, id, SECOND) is None
        head, pieces = kept[:HEAD], [kept[at : at + SEALED] for at in range(HEAD, len(kept), SEALED)]
        assert len(pieces) == 4
        for wrong in (pieces[:3], pieces[:0], [pieces[1], pieces[0], *pieces[2:]], pieces[1:], [*pieces, pieces[3]]):
            changed = await inner.put(TENANT, head + b"".join(wrong))
            with pytest.raises(Undecipherable):
                await whole(blobs, changed)
        changed = await inner.put(TENANT, head + b"".join([pieces[1], pieces[0], *pieces[2:]]))
        with pytest.raises(Undecipherable):
            await whole(blobs, changed, 70_000, 70_001)


async def test_equal_bytes_are_kept_once_under_one_data_key() -> None:
    async with open_place() as place, memory.open_blobs("memory://") as inner:
        blobs = EncryptedBlobs(inner, place.keys, place.keys.cipher, on=True)
        id = await blobs.put(TENANT, b"same")
        assert await blobs.put(TENANT, b"same") == id
        await place.keys.add(TENANT, "ann")
        other = await blobs.put(TENANT, b"same")
        assert other != id
        assert await whole(blobs, id) == await whole(blobs, other) == b"same"
        off = EncryptedBlobs(inner, place.keys, place.keys.cipher, on=False)
        assert await whole(off, id) == b"same"
        escaped = await off.put(TENANT, await whole(inner, id))  # looks encrypted, and is what somebody left
        assert await whole(off, escaped) == await whole(inner, id)
        assert await off.size(TENANT, escaped) == await inner.size(TENANT, id)
        with pytest.raises(NotFound):
            await off.size(TENANT, BlobId("0" * 64))
