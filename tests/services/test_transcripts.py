"""Sessions that are quiet leave the store, and read the same."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import pytest
from attrs import frozen

from codetether_adapters.memory import MemoryBlobs, open_backend
from codetether_core.errors import Unavailable
from codetether_core.ids import SessionId
from codetether_core.ports import Backend
from codetether_core.services import Entry, Services, assemble
from codetether_core.sessions import Session, SessionMessage
from codetether_core.tasks import GLOBAL
from tests.services.conftest import Dice, FakeClock
from tests.services.desk import TENANT, USER

pytestmark = pytest.mark.anyio

DAY = timedelta(days=1)
ID = SessionId("ses_1")


@frozen
class Talk:
    """One session, over services whose retention is a day."""

    services: Services
    clock: FakeClock
    blobs: MemoryBlobs

    async def say(self, *texts: str, **members: Any) -> None:
        """Tell messages, each by its text's first letter."""
        now = self.clock.now()
        session = Session(id=ID, tenant=TENANT, codebase=GLOBAL, created_at=now, updated_at=now, synced_at=now)
        told = [
            SessionMessage(
                id=text[0], session=ID, role="user", created_at=now, parts=({"type": "text", "text": text},), **members
            )
            for text in texts
        ]
        await self.services.conversation.upsert(USER, session, told)

    async def rest(self) -> None:
        """Let two days pass, and the reaper look."""
        self.clock.at += 2 * DAY
        while await self.services.maintenance.forget():
            pass
        self.services.maintenance._forgot_at = None

    async def read(self, limit: int = 100, after: int = 0) -> tuple[list[str], int]:
        found, count = await self.services.conversation.messages(USER, GLOBAL, ID, limit=limit, after=after)
        return [message.parts[0]["text"] for message in found], count

    async def stored(self) -> int:
        """How many messages the store has."""
        return (await self.services.backend.sessions.messages(TENANT, GLOBAL, ID, limit=1))[1]


@pytest.fixture
async def talk(backend: Backend, clock: FakeClock) -> Talk:
    blobs = MemoryBlobs()
    return Talk(assemble(backend, clock, Dice(), blobs=blobs, retention=DAY), clock, blobs)


async def test_a_quiet_session_is_filed_and_reads_the_same(talk: Talk) -> None:
    await talk.say("a", 'b "é"\n\u2028', "c", cost=0.5)
    before = await talk.services.conversation.messages(USER, GLOBAL, ID, limit=100)
    await talk.rest()
    assert await talk.stored() == 0
    found, count = await talk.services.conversation.messages(USER, GLOBAL, ID, limit=100)
    assert ([*found], count) == ([*before[0]], before[1])
    assert await talk.read(limit=1, after=1) == (['b "é"\n\u2028'], 3)
    assert await talk.read(after=3) == ([], 3)


async def test_one_that_goes_on_is_whole_and_is_filed_again(talk: Talk) -> None:
    """What is told again counts, wherever the first telling is by now."""
    await talk.say("a1", "b1")
    await talk.rest()
    await talk.say("b2", "c2")
    assert await talk.stored() == 2
    assert await talk.read() == (["a1", "b2", "c2"], 3)
    await talk.rest()
    assert await talk.stored() == 0
    assert await talk.read() == (["a1", "b2", "c2"], 3)


async def test_one_that_is_in_use_stays(talk: Talk) -> None:
    await talk.say("a")
    talk.clock.at += DAY / 2
    await talk.services.maintenance.forget()
    assert await talk.stored() == 1


async def test_what_was_said_while_it_was_filed_is_not_lost(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    await talk.say("a")
    put = talk.blobs.put

    async def slow(tenant: Any, data: Any) -> Any:
        id = await put(tenant, data)
        with monkeypatch.context() as undone:
            undone.setattr(talk.blobs, "put", put)
            await talk.say("b")
        return id

    monkeypatch.setattr(talk.blobs, "put", slow)
    talk.clock.at += 2 * DAY
    await talk.services.transcripts.file(talk.clock.now() - DAY, 10)
    assert await talk.read() == (["a", "b"], 2)
    assert await talk.stored() == 2


async def test_nothing_leaves_while_it_cannot_be_filed(talk: Talk, monkeypatch: pytest.MonkeyPatch) -> None:
    await talk.say("a")

    async def away(*_: object) -> None:
        raise Unavailable("The store of blobs does not answer")

    monkeypatch.setattr(talk.blobs, "put", away)
    with pytest.raises(Unavailable):
        await talk.rest()
    assert await talk.read() == (["a"], 1)


async def test_a_copy_has_the_transcript(talk: Talk) -> None:
    await talk.say("a", "b")
    await talk.rest()
    await talk.say("c")
    entries: Sequence[Entry] = [entry async for entry in talk.services.archiving.copy(TENANT)]
    assert "blob" in {entry.kind for entry in entries}

    async def told() -> AsyncIterator[Entry]:
        for entry in entries:
            yield entry

    async with open_backend() as other:
        there = Talk(assemble(other, talk.clock, Dice(), blobs=talk.blobs), talk.clock, talk.blobs)
        await there.services.restoring.restore(TENANT, told())
        assert await there.read() == (["a", "b", "c"], 3)


@pytest.mark.parametrize("looking", ["messages", "get"])
@pytest.mark.parametrize("reads", ["page", "copy"])
async def test_what_is_filed_while_it_is_read_is_read(
    talk: Talk, monkeypatch: pytest.MonkeyPatch, reads: str, looking: str
) -> None:
    """Whenever it leaves the store: before the reader looks into it, or between that and its look at the session."""
    await talk.say("a", "b")
    talk.clock.at += 2 * DAY
    sessions = type(talk.services.backend.sessions)
    look = getattr(sessions, looking)

    async def late(self: Any, *key: Any, **bounds: Any) -> Any:
        with monkeypatch.context() as undone:
            undone.setattr(sessions, looking, look)
            await talk.services.transcripts.file(talk.clock.now() - DAY, 10)
        return await look(self, *key, **bounds)

    with monkeypatch.context() as patched:
        patched.setattr(sessions, looking, late)
        if reads == "page":
            assert await talk.read() == (["a", "b"], 2)
        else:
            entries = [entry async for entry in talk.services.archiving.copy(TENANT)]
            (told,) = (entry.data for entry in entries if entry.kind == "session")
            assert told["session"]["transcript"] or len(told["messages"]) == 2
    assert await talk.stored() == 0


async def test_a_transcript_that_is_gone_keeps_no_other_session_back(talk: Talk) -> None:
    """What was told of since stays in the store, and whoever comes after it is filed."""
    await talk.say("a")
    await talk.rest()
    (lost,) = await talk.blobs.list(TENANT)
    await talk.blobs.delete(TENANT, lost.id)
    await talk.say("b")
    now = talk.clock.now()
    other = Session(
        id=SessionId("ses_2"), tenant=TENANT, codebase=GLOBAL, created_at=now, updated_at=now, synced_at=now
    )
    said = SessionMessage(id="c", session=other.id, role="user", created_at=now, parts=())
    await talk.services.conversation.upsert(USER, other, [said])
    await talk.rest()
    assert await talk.stored() == 1
    assert (await talk.services.backend.sessions.get(TENANT, GLOBAL, other.id)).transcript is not None
