"""What a worker knows about its agents' sessions, and what of it the server has not been told.

Every change gets the next *revision*; a session remembers up to which one the server has it. So a message that comes
while a sync is under way stays to be told. It is a cache: a file that is damaged, or of another version, is put
aside and filled anew by the next reading of the agents' own files.

With an *envelope* that has a key, what was said and titles are encrypted. A cache under a key that is missing is
forgotten.

Calls block for as long as the disk takes: make them in a thread. Any thread may. ``Unavailable`` if it refuses.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any

from attrs import frozen

from codetether_core.codec import dump, load, timestamp
from codetether_core.errors import Unavailable
from codetether_core.services import Envelope
from codetether_core.sessions import Session, SessionMessage

__all__ = ["ChangedSession", "SessionCache"]

_VERSION = 1
_SCHEMA = """
create table session (
    tenant text, codebase text, id text, updated_at text not null, synced_at text not null,
    value text not null, revision integer not null, synced integer not null default 0,
    primary key (tenant, codebase, id)
) without rowid;
create table message (
    tenant text, codebase text, session text, id text, created_at text not null, value text not null,
    revision integer not null, primary key (tenant, codebase, session, id)
) without rowid;
create index session_unsynced on session (revision) where synced < revision;
create index message_revision on message (tenant, codebase, session, revision);
"""

_SESSION = "select value from session where tenant = ? and codebase = ? and id = ?"
_MESSAGE = "select value from message where tenant = ? and codebase = ? and session = ? and id = ?"


@frozen
class ChangedSession:
    """A session with the messages that the server has not, in order of creation, as of ``revision``."""

    session: Session
    messages: tuple[SessionMessage, ...]
    revision: int


class SessionCache:
    """The cache in the file ``path``, which is made, for this user only."""

    def __init__(self, path: Path, envelope: Envelope | None = None) -> None:
        self._path = path
        self._envelope = envelope or Envelope.open_to_all()
        self._lock = Lock()
        with self._refusals():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                self._database = _open(path)
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError):  # locked, or no such directory: not the file's fault
                    raise
                _put_aside(path)
                self._database = _open(path)
            if not _keys(self._database) <= {*self._envelope.cipher.key_ids}:
                self._database.close()
                _forget(path)
                self._database = _open(path)

    def upsert(self, session: Session, messages: Sequence[SessionMessage] = ()) -> None:
        """Keep the session and these messages, each over the one with its id; the same again changes nothing."""
        key = (session.tenant, session.codebase, session.id)
        with self._changing() as database:
            (last,) = database.execute("select coalesce(max(revision), 0) from session").fetchone()
            written = 0
            for message in messages:
                text = _text(message)
                if text == self._kept(_MESSAGE, (*key, message.id)):
                    continue
                row = *key, message.id, timestamp(message.created_at), self._sealed((*key, message.id), text), last + 1
                written += database.execute("insert or replace into message values (?, ?, ?, ?, ?, ?, ?)", row).rowcount
            text = _text(session)
            if written or text != self._kept(_SESSION, key):
                times = timestamp(session.updated_at), timestamp(session.synced_at)
                database.execute(
                    "insert into session values (?, ?, ?, ?, ?, ?, ?, 0) on conflict do update set"
                    " updated_at = excluded.updated_at, synced_at = excluded.synced_at,"
                    " value = excluded.value, revision = excluded.revision",
                    (*key, *times, self._sealed(key, text), last + 1),
                )

    def changed_since_sync(self, limit: int = 100) -> list[ChangedSession]:
        """At most ``limit`` sessions with something new for the server, the longest waiting first."""
        with self._lock, self._refusals():
            rows = self._database.execute(
                "select tenant, codebase, id, synced_at, value, revision, synced from session"
                " where synced < revision order by revision limit ?",
                (limit,),
            ).fetchall()
            return [
                ChangedSession(
                    self._session((tenant, codebase, id), synced_at, value),
                    self._messages((tenant, codebase, id), after=synced),
                    revision,
                )
                for tenant, codebase, id, synced_at, value, revision, synced in rows
            ]

    def mark_synced(self, changed: ChangedSession) -> None:
        """The server has what ``changed`` holds; what came later stays to be told."""
        session = changed.session
        with self._changing() as database:
            database.execute(
                "update session set synced = max(synced, ?) where tenant = ? and codebase = ? and id = ?",
                (changed.revision, session.tenant, session.codebase, session.id),
            )

    def get(self, session: Session) -> Session | None:
        """The session of that codebase and id, as it was last kept."""
        with self._lock, self._refusals():
            row = self._database.execute(
                "select synced_at, value from session where tenant = ? and codebase = ? and id = ?",
                (session.tenant, session.codebase, session.id),
            ).fetchone()
            return None if row is None else self._session((session.tenant, session.codebase, session.id), *row)

    def messages(self, session: Session) -> tuple[SessionMessage, ...]:
        """All messages of a session, in order of creation."""
        with self._lock, self._refusals():
            return self._messages((session.tenant, session.codebase, session.id), after=0)

    def forget(self, before: datetime) -> int:
        """Drop the sessions that the server has and that were last updated before a moment; how many they were."""
        with self._changing() as database:
            keys = database.execute(
                "delete from session where synced >= revision and updated_at < ? returning tenant, codebase, id",
                (timestamp(before),),
            ).fetchall()
            database.executemany("delete from message where tenant = ? and codebase = ? and session = ?", keys)
        return len(keys)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        with self._lock, self._refusals(), self._database as database:
            yield database

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        """What the file refuses, in our words."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise Unavailable(
                f"The session cache {self._path} cannot be used: {error}",
                hint="check the permissions and the disk of the worker's data directory",
            ) from error

    def _messages(self, key: tuple[str, str, str], *, after: int) -> tuple[SessionMessage, ...]:
        rows = self._database.execute(
            "select id, value from message where tenant = ? and codebase = ? and session = ? and revision > ?"
            " order by created_at, id",
            (*key, after),
        )
        return tuple(load(SessionMessage, json.loads(self._clear((*key, id), value))) for id, value in rows)

    def _session(self, key: tuple[str, ...], synced_at: str, value: str) -> Session:
        return load(Session, {**json.loads(self._clear(key, value)), "synced_at": synced_at})

    def _kept(self, query: str, key: tuple[str, ...]) -> str | None:
        """The text that is there already; what is encrypted is another one each time."""
        row = self._database.execute(query, key).fetchone()
        return None if row is None else self._clear(key, row[0])

    def _sealed(self, key: tuple[str, ...], text: str) -> str:
        return self._envelope.seal(text, json.dumps(key))

    def _clear(self, key: tuple[str, ...], value: str) -> str:
        return self._envelope.open(value, json.dumps(key))


def _text(value: Session | SessionMessage) -> str:
    data: dict[str, Any] = dump(value)
    data.pop("synced_at", None)  # a telling with no news but its time is no change
    return json.dumps(data, sort_keys=True)


def _open(path: Path) -> sqlite3.Connection:
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))  # SQLite gives its other files the same mode
    database = sqlite3.connect(path, check_same_thread=False)
    try:
        database.execute("pragma journal_mode = wal")
        database.execute("pragma synchronous = normal")
        with closing(database.execute("pragma user_version")) as answer:
            (version,) = answer.fetchone()
        if version == 0:
            database.executescript(f"begin; {_SCHEMA} pragma user_version = {_VERSION}; commit;")
        elif version != _VERSION:
            raise sqlite3.DatabaseError(f"a session cache of version {version}")
        if database.execute("pragma quick_check").fetchone() != ("ok",):
            raise sqlite3.DatabaseError("a damaged session cache")
    except BaseException:
        database.close()
        raise
    return database


def _keys(database: sqlite3.Connection) -> set[str]:
    """Under which keys anything is encrypted."""
    found = database.execute(
        "select distinct substr(value, 5, instr(substr(value, 5), '.') - 1)"
        " from (select value from session union all select value from message) where value like 'ct1.%'"
    )
    return {key for (key,) in found}


def _put_aside(path: Path) -> None:
    path.replace(path.with_name(path.name + ".damaged"))
    _forget(path)


def _forget(path: Path) -> None:
    path.unlink(missing_ok=True)
    for ending in ("-wal", "-shm"):
        with suppress(FileNotFoundError):
            path.with_name(path.name + ending).unlink()
