"""The server is told each change of a session once, and none is missed while it is being told."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from attrs import evolve

from codetether_adapters.session_cache import SessionCache
from codetether_core.ids import CodebaseId, SessionId, TenantId
from codetether_core.sessions import Session, SessionMessage

AT = datetime(2026, 1, 2, tzinfo=UTC)


def session(id: str = "ses_1", codebase: str = "cb_1") -> Session:
    return Session(
        id=SessionId(id),
        tenant=TenantId("default"),
        codebase=CodebaseId(codebase),
        created_at=AT,
        updated_at=AT,
        synced_at=AT,
        title="müde",
        details={"cost": 1.5, "a": [None, {"b": True}]},
    )


def message(id: str, minute: int = 0, text: str = "hi") -> SessionMessage:
    return SessionMessage(
        id=id,
        session=SessionId("ses_1"),
        role="user",
        created_at=AT + timedelta(minutes=minute),
        parts=({"type": "text", "text": text},),
        tokens={"input": 3},
    )


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[SessionCache]:
    made = SessionCache(tmp_path / "sessions.sqlite3")
    yield made
    made.close()


def test_what_was_kept_is_told_whole_and_once(cache: SessionCache) -> None:
    cache.upsert(session(), [message("b", 2), message("a", 1)])
    (changed,) = cache.changed_since_sync()
    assert changed.session == session()
    assert changed.messages == (message("a", 1), message("b", 2))
    cache.mark_synced(changed)
    assert cache.changed_since_sync() == []


def test_the_same_again_is_no_change(cache: SessionCache) -> None:
    """Workers read the agents' files again and again, and would otherwise send everything each time."""
    cache.upsert(session(), [message("a")])
    cache.mark_synced(cache.changed_since_sync()[0])
    cache.upsert(evolve(session(), synced_at=AT + timedelta(hours=1)), [message("a")])
    assert cache.changed_since_sync() == []


def test_only_the_messages_that_changed_are_told(cache: SessionCache) -> None:
    cache.upsert(session(), [message("a"), message("b", 1)])
    cache.mark_synced(cache.changed_since_sync()[0])
    cache.upsert(session(), [message("a"), message("b", 1, "longer"), message("c", 2)])
    (changed,) = cache.changed_since_sync()
    assert [told.id for told in changed.messages] == ["b", "c"]
    assert [kept.id for kept in cache.messages(session())] == ["a", "b", "c"]


def test_a_change_during_a_sync_is_told_by_the_next(cache: SessionCache) -> None:
    cache.upsert(session(), [message("a")])
    (under_way,) = cache.changed_since_sync()
    cache.upsert(session(), [message("b", 1)])
    cache.mark_synced(under_way)
    (changed,) = cache.changed_since_sync()
    assert [told.id for told in changed.messages] == ["b"]
    cache.mark_synced(changed)
    cache.mark_synced(under_way)
    assert cache.changed_since_sync() == []


def test_a_changed_title_alone_is_told(cache: SessionCache) -> None:
    cache.upsert(session(), [message("a")])
    cache.mark_synced(cache.changed_since_sync()[0])
    cache.upsert(evolve(session(), title="new"))
    (changed,) = cache.changed_since_sync()
    assert (changed.session.title, changed.messages) == ("new", ())


def test_one_id_in_two_codebases_is_two_sessions(cache: SessionCache) -> None:
    cache.upsert(session(codebase="cb_1"), [message("a")])
    cache.upsert(session(codebase="cb_2"))
    assert [len(changed.messages) for changed in cache.changed_since_sync()] == [1, 0]
    assert len(cache.changed_since_sync(limit=1)) == 1


def test_only_what_the_server_has_is_forgotten(cache: SessionCache) -> None:
    cache.upsert(session("ses_1"), [message("a")])
    cache.upsert(session("ses_2"))
    cache.mark_synced(cache.changed_since_sync()[0])
    assert cache.forget(AT) == 0
    assert cache.forget(AT + timedelta(seconds=1)) == 1
    assert cache.messages(session("ses_1")) == ()
    assert [changed.session.id for changed in cache.changed_since_sync()] == ["ses_2"]
    cache.upsert(session("ses_1"), [message("a")])
    assert len(cache.changed_since_sync()) == 2


def test_it_outlives_the_process_and_is_for_this_user_only(tmp_path: Path) -> None:
    path = tmp_path / "cache" / "sessions.sqlite3"
    first = SessionCache(path)
    first.upsert(session(), [message("a")])
    assert {file.stat().st_mode & 0o777 for file in path.parent.iterdir()} == {0o600}
    first.close()
    second = SessionCache(path)
    assert len(second.changed_since_sync()) == 1
    second.close()


@pytest.mark.parametrize("damage", ["junk", "version", "page"])
def test_a_damaged_cache_is_put_aside(damage: str, tmp_path: Path) -> None:
    path = tmp_path / "sessions.sqlite3"
    first = SessionCache(path)
    first.upsert(session(), [message(str(number), text="x" * 500) for number in range(200)])
    first.close()
    if damage == "junk":
        path.write_bytes(b"junk" * 1000)
    elif damage == "page":
        data = bytearray(path.read_bytes())
        data[4096:40960] = b"\xaa" * (40960 - 4096)
        path.write_bytes(data)
    else:
        database = sqlite3.connect(path)
        database.execute("pragma user_version = 99")
        database.close()
    second = SessionCache(path)
    assert second.changed_since_sync() == []
    second.close()
    assert (tmp_path / "sessions.sqlite3.damaged").exists()
