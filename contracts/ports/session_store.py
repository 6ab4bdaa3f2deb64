"""The contract of ``SessionStore``."""

from __future__ import annotations

import asyncio
import unittest
from typing import Any, Final

from attrs import evolve

from codetether_core.errors import NotFound, VersionConflict
from codetether_core.events import Topic
from codetether_core.ids import CodebaseId, SessionId, TenantId
from codetether_core.ports import Backend, SessionQuery
from codetether_core.sessions import Session, SessionMessage
from contracts.ports.harness import Example, OpenBackend, examples, raises
from contracts.ports.samples import CODEBASE, MICROSECOND, NOW, OTHER_TENANT, SECOND, TENANT, note

__all__ = ["session_store_contract"]

_OTHER_CODEBASE: Final = CodebaseId("cb2")


def session_store_contract(open_backend: OpenBackend) -> type[unittest.TestCase]:
    """Telling, telling again, racing tellers, listing and paging."""
    return examples("SessionStoreContract", open_backend, _EXAMPLES)


def _session(id: str = "s", *, codebase: CodebaseId = CODEBASE, tenant: TenantId = TENANT, **more: Any) -> Session:
    told = {"created_at": NOW, "updated_at": NOW, "synced_at": NOW + MICROSECOND, **more}
    return Session(id=SessionId(id), tenant=tenant, codebase=codebase, **told)


def _message(id: str, offset: int = 0, **more: Any) -> SessionMessage:
    said = {"role": "user", "created_at": NOW + offset * MICROSECOND, **more}
    return SessionMessage(id=id, session=SessionId("s"), **said)


async def what_was_told_comes_back_equal(backend: Backend) -> None:
    """Session and messages with every member, and the events are in the log."""
    session = _session("ünïcode '\"%", title="T", details={"share": {"url": "x"}, "é": [1, None]})
    message = evolve(
        _message("m"),
        session=session.id,
        role="assistant",
        cost=0.25,
        tokens={"input": 1},
        tool_calls=({"name": "bash"},),
        parts=({"type": "text", "text": "é\u0000🦊"}, {"type": "x", "n": [1, 2.5]}),
    )
    topic = Topic(TENANT, CODEBASE, session.id)
    start = await backend.log.head()
    await backend.sessions.put(None, session, [message], [note(topic)])
    assert await backend.sessions.get(TENANT, CODEBASE, session.id) == session
    found, count = await backend.sessions.messages(TENANT, CODEBASE, session.id, limit=10)
    assert ([*found], count) == ([message], 1)
    assert len((await backend.log.read(topic, start)).records) == 1


async def telling_again_writes_over(backend: Backend) -> None:
    """The session and the messages with the same id; those that are left out stay."""
    sessions = backend.sessions
    first = _session(title="old")
    await sessions.put(None, first, [_message("a", 0), _message("b", 1)])
    later = _session(title="new", updated_at=NOW + SECOND, version=2)
    await sessions.put(first, later, [_message("b", 2, role="tool"), _message("c", 1)])
    assert await sessions.get(TENANT, CODEBASE, later.id) == later
    found, count = await sessions.messages(TENANT, CODEBASE, later.id, limit=10)
    assert ([(message.id, message.role) for message in found], count) == (
        [("a", "user"), ("c", "user"), ("b", "tool")],
        3,
    )
    assert (await sessions.list(TENANT, SessionQuery()))[1] == 1


async def only_one_telling_of_a_version_lands(backend: Backend) -> None:
    """Of any number at once, the first among them; the others leave neither a message nor an event."""
    topic = Topic(TENANT, CODEBASE, SessionId("s"))
    known: Session | None = None
    for version in (1, 2):
        told = [_session(title=f"{n}", version=version) for n in range(10)]
        tellings = (
            backend.sessions.put(known, session, [_message(f"{version}.{session.title}")], [note(topic)])
            for session in told
        )
        outcomes = await asyncio.gather(*tellings, return_exceptions=True)
        assert all(isinstance(outcome, VersionConflict) for outcome in outcomes if outcome is not None)
        assert outcomes.count(None) == 1
        known = await backend.sessions.get(TENANT, CODEBASE, SessionId("s"))
        assert known == told[outcomes.index(None)]
        assert (await backend.sessions.messages(TENANT, CODEBASE, SessionId("s"), limit=10))[1] == version
        assert await backend.log.count(topic, ["note"]) == version
    unknown = _session("never")
    await raises(VersionConflict, backend.sessions.put(unknown, evolve(unknown, version=2)))
    await raises(NotFound, backend.sessions.get(TENANT, CODEBASE, unknown.id))


async def no_detail_is_lost_among_tellers(backend: Backend) -> None:
    """Who reads again after ``VersionConflict`` keeps what the others told."""

    async def tell(n: int) -> None:
        while True:
            try:
                old = await backend.sessions.get(TENANT, CODEBASE, SessionId("s"))
            except NotFound:
                old = None
            await asyncio.sleep(0)
            known = old or _session(version=0)
            new = evolve(known, details={**known.details, str(n): n}, version=known.version + 1)
            try:
                return await backend.sessions.put(old, new)
            except VersionConflict:
                continue

    await asyncio.gather(*(tell(n) for n in range(8)))
    session = await backend.sessions.get(TENANT, CODEBASE, SessionId("s"))
    assert (session.version, len(session.details)) == (8, 8)


async def the_same_id_may_be_told_for_two_codebases(backend: Backend) -> None:
    """And for two tenants; each has its own messages."""
    sessions = backend.sessions
    await sessions.put(None, first := _session(title="1"), [_message("a")])
    await sessions.put(None, second := _session(title="2", codebase=_OTHER_CODEBASE), [_message("a"), _message("b")])
    await sessions.put(None, _session(title="3", tenant=OTHER_TENANT))
    assert await sessions.get(TENANT, CODEBASE, first.id) == first
    assert await sessions.get(TENANT, _OTHER_CODEBASE, first.id) == second
    assert (await sessions.messages(TENANT, CODEBASE, first.id, limit=10))[1] == 1
    assert (await sessions.messages(TENANT, _OTHER_CODEBASE, first.id, limit=10))[1] == 2
    assert (await sessions.messages(OTHER_TENANT, CODEBASE, first.id, limit=10))[1] == 0
    await raises(NotFound, sessions.get(OTHER_TENANT, _OTHER_CODEBASE, first.id))


async def an_unknown_session_has_no_messages(backend: Backend) -> None:
    """``NotFound`` for itself, nothing for its messages."""
    await raises(NotFound, backend.sessions.get(TENANT, CODEBASE, SessionId("none")))
    found, count = await backend.sessions.messages(TENANT, CODEBASE, SessionId("none"), limit=10)
    assert ([*found], count) == ([], 0)


async def messages_come_in_order_of_creation(backend: Backend) -> None:
    """To the microsecond, then by id; in pages, with the count of all."""
    ids = [("d", 5), ("a", 7), ("c", 5), ("b", -3), ("e", 6)]
    await backend.sessions.put(None, _session(), [_message(id, offset) for id, offset in ids])
    for after, limit, expected in ((0, 10, "bcdea"), (1, 2, "cd"), (4, 5, "a"), (5, 5, ""), (0, 0, "")):
        found, count = await backend.sessions.messages(TENANT, CODEBASE, SessionId("s"), limit=limit, after=after)
        assert ("".join(message.id for message in found), count) == (expected, 5)


async def all_are_walked_through_by_their_keys(backend: Backend) -> None:
    """Page by page behind a key, whether it is there or not, however they are updated meanwhile."""
    sessions = backend.sessions
    names = [("cb", "b"), ("cb", "a"), ("cb2", "a"), ("cb", "ba"), ("cb10", "x")]
    told = [_session(id, codebase=CodebaseId(codebase)) for codebase, id in names]
    for session in told:
        await sessions.put(None, session)
    await sessions.put(None, _session("a", tenant=OTHER_TENANT))

    async def page(after: tuple[str, str] | None, limit: int) -> list[tuple[str, str]]:
        behind = None if after is None else (CodebaseId(after[0]), SessionId(after[1]))
        return [(each.codebase, each.id) for each in await sessions.walk(TENANT, after=behind, limit=limit)]

    assert await page(None, 2) == [("cb", "a"), ("cb", "b")]
    await sessions.put(told[3], evolve(told[3], updated_at=NOW + SECOND, version=2))
    assert await page(("cb", "b"), 2) == [("cb", "ba"), ("cb10", "x")]
    assert await page(("cb", "bb"), 10) == [("cb10", "x"), ("cb2", "a")]
    assert await page(("cb2", "a"), 10) == []


async def sessions_are_listed_last_updated_first(backend: Backend) -> None:
    """By codebase, by text in the title whatever its case, in pages, with the count of all that match."""
    titles = ["Fix the Build", "ÉTÉ build", "100% done", "rebuild", "other"]
    for n, title in enumerate(titles):
        codebase = CODEBASE if n % 2 else _OTHER_CODEBASE
        await backend.sessions.put(
            None, _session(f"s{n}", codebase=codebase, title=title, updated_at=NOW + n * MICROSECOND)
        )
    await backend.sessions.put(None, _session("foreign", tenant=OTHER_TENANT, title="build"))

    async def listed(**query: Any) -> tuple[str, int]:
        found, count = await backend.sessions.list(TENANT, SessionQuery(**query))
        return "".join(session.id[1:] for session in found), count

    assert await listed() == ("43210", 5)
    assert await listed(limit=2, after=1) == ("32", 5)
    assert await listed(codebase=CODEBASE) == ("31", 2)
    assert await listed(text="BUILD") == ("310", 3)
    assert await listed(text="build", limit=1, after=1) == ("1", 3)
    assert await listed(text="été") == ("1", 1)
    assert await listed(text="%") == ("2", 1)
    assert await listed(text="_") == ("", 0)
    first = await backend.sessions.get(TENANT, _OTHER_CODEBASE, SessionId("s0"))
    await backend.sessions.put(first, _session("s0", codebase=_OTHER_CODEBASE, updated_at=NOW + SECOND, version=2))
    assert await listed() == ("04321", 5)


async def quiet_sessions_are_found_once_they_are_filed_no_more(backend: Backend) -> None:
    """Those of every tenant that have loose messages, by when they were last updated; to the microsecond."""
    sessions = backend.sessions
    for n in range(4):
        await sessions.put(None, _session(f"s{n}", loose=n != 2, updated_at=NOW + n * MICROSECOND))
    await sessions.put(None, foreign := _session("f", tenant=OTHER_TENANT, codebase=_OTHER_CODEBASE, loose=True))

    async def quiet(before: int, limit: int = 10) -> list[str]:
        return sorted(session.id for session in await sessions.quiet(NOW + before * MICROSECOND, limit))

    assert await quiet(0) == []
    assert await quiet(1) == ["f", "s0"]
    assert await quiet(4) == ["f", "s0", "s1", "s3"]
    assert len(await quiet(4, 2)) == 2
    assert foreign in await sessions.quiet(NOW + MICROSECOND, 10)
    await sessions.put(foreign, evolve(foreign, loose=False, version=2))
    first = await sessions.get(TENANT, CODEBASE, SessionId("s0"))
    await sessions.put(first, evolve(first, updated_at=NOW + SECOND, version=2))
    assert await quiet(4) == ["s1", "s3"]
    assert await quiet(2_000_000) == ["s0", "s1", "s3"]


async def messages_can_be_forgotten_with_a_swap(backend: Backend) -> None:
    """Those named, and no others; what is told in the same swap stays. A lost swap forgets nothing."""
    session = _session()
    await backend.sessions.put(None, session, [_message("a"), _message("b", 1), _message("c", 2)])

    async def kept() -> list[str]:
        found, count = await backend.sessions.messages(TENANT, CODEBASE, session.id, limit=10)
        assert len(found) == count
        return [message.id for message in found]

    new = evolve(session, version=2)
    await raises(VersionConflict, backend.sessions.put(evolve(session, version=7), new, forget=["a"]))
    assert await kept() == ["a", "b", "c"]
    await backend.sessions.put(session, new, [_message("c", 3)], forget=["a", "c", "none"])
    assert await kept() == ["b", "c"]


_EXAMPLES: Final[tuple[Example, ...]] = (
    what_was_told_comes_back_equal,
    telling_again_writes_over,
    only_one_telling_of_a_version_lands,
    no_detail_is_lost_among_tellers,
    the_same_id_may_be_told_for_two_codebases,
    an_unknown_session_has_no_messages,
    messages_come_in_order_of_creation,
    all_are_walked_through_by_their_keys,
    sessions_are_listed_last_updated_first,
    quiet_sessions_are_found_once_they_are_filed_no_more,
    messages_can_be_forgotten_with_a_swap,
)
