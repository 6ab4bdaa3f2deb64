"""What a worker keeps for itself, under a key of the installation."""

from __future__ import annotations

from pathlib import Path

import pytest
from attrs import evolve

from codetether_adapters.ciphers import Aes
from codetether_adapters.outbox import Outbox, Report
from codetether_adapters.session_cache import SessionCache
from codetether_core.errors import NotConfigured
from codetether_core.ids import CodebaseId, SessionId, TaskId, TenantId
from codetether_core.services import Envelope
from codetether_core.sessions import Session, SessionMessage
from contracts.ports.samples import NOW
from tests.services.conftest import Dice

WORD = "awordinmyreport"
REPORT = Report(task=TaskId("t"), lease="1.n", status="completed", created_at=NOW, result=WORD)
SESSION = Session(
    id=SessionId("s"),
    tenant=TenantId("t"),
    codebase=CodebaseId("c"),
    created_at=NOW,
    updated_at=NOW,
    synced_at=NOW,
    title=WORD,
)
MESSAGE = SessionMessage(id="m", session=SESSION.id, role="user", created_at=NOW, parts=({"text": WORD},))
OLD, NEW = ("old", bytes(32)), ("new", bytes(range(32)))


def under(*keys: tuple[str, bytes]) -> Envelope:
    return Envelope(Aes(keys), Dice())


def written(directory: Path) -> bytes:
    return b"".join(path.read_bytes() for path in directory.rglob("*") if path.is_file())


def test_a_report_is_encrypted_while_it_waits(tmp_path: Path) -> None:
    with Outbox(tmp_path, under(OLD)) as outbox:
        outbox.put(REPORT)
        assert WORD.encode() not in written(tmp_path)
        assert [entry.report for entry in outbox.pending()] == [REPORT]
    with Outbox(tmp_path / "clear") as outbox:
        outbox.put(REPORT)
        assert WORD.encode() in written(tmp_path)


def test_reports_outlive_their_key_and_are_missed_by_its_name(tmp_path: Path) -> None:
    """Nothing is put aside because a key is missing."""
    with Outbox(tmp_path) as outbox:
        outbox.put(evolve(REPORT, result="clear"))
    with Outbox(tmp_path, under(OLD)) as outbox:
        outbox.put(REPORT)
    for envelope in (under(NEW), None):
        with pytest.raises(NotConfigured) as refused:
            Outbox(tmp_path, envelope)
        assert envelope is None or "old is missing" in refused.value.message
    with Outbox(tmp_path, under(NEW, OLD)) as outbox:
        assert [entry.report.result for entry in outbox.pending()] == ["clear", WORD]
        assert outbox.quarantined() == []


def test_a_report_that_was_changed_is_put_aside(tmp_path: Path) -> None:
    with Outbox(tmp_path, under(OLD)) as outbox:
        id = outbox.put(REPORT)
        (tmp_path / f"{id}.json").rename(tmp_path / "0000000000000009.json")  # as another one
        assert outbox.pending() == []
        assert len(outbox.quarantined()) == 1


def test_the_cache_is_encrypted_and_forgotten_without_its_key(tmp_path: Path) -> None:
    """What is told again is no change although it is encrypted anew."""
    path = tmp_path / "sessions.db"
    cache = SessionCache(path, under(OLD))
    cache.upsert(SESSION, [MESSAGE])
    (changed,) = cache.changed_since_sync()
    assert (changed.session, changed.messages) == (SESSION, (MESSAGE,))
    cache.mark_synced(changed)
    cache.upsert(SESSION, [MESSAGE])
    assert cache.changed_since_sync() == []
    cache.upsert(SESSION, [evolve(MESSAGE, role="tool")])
    assert len(cache.changed_since_sync()) == 1
    assert WORD.encode() not in written(tmp_path)
    cache.close()
    for envelope, known in ((under(NEW, OLD), SESSION), (under(NEW), None)):
        cache = SessionCache(path, envelope)
        assert cache.get(SESSION) == known
        cache.close()
    cache = SessionCache(path)
    cache.upsert(SESSION, [MESSAGE])
    cache.close()
    assert WORD.encode() in written(tmp_path)
