"""Opening the SQLite stores."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from attrs import field, frozen

from codetether_adapters.sqlite.address import file_of
from codetether_adapters.sqlite.approvals import SqliteApprovals
from codetether_adapters.sqlite.audit import SqliteAudit
from codetether_adapters.sqlite.committer import scrubbed
from codetether_adapters.sqlite.connection import connect, unavailable
from codetether_adapters.sqlite.inbox import SqliteInbox
from codetether_adapters.sqlite.lock import owned
from codetether_adapters.sqlite.log import SqliteLog
from codetether_adapters.sqlite.reader import Reader
from codetether_adapters.sqlite.records import SqliteCodebases, SqliteDirectory, SqliteRecords
from codetether_adapters.sqlite.schema import bring_up_to_date
from codetether_adapters.sqlite.sessions import SqliteSessions
from codetether_adapters.sqlite.tasks import SqliteTasks
from codetether_adapters.sqlite.transaction import Transaction
from codetether_adapters.sqlite.webhooks import SqliteWebhooks
from codetether_adapters.sqlite.writer import Writer
from codetether_adapters.tail import LocalNotifier, Ring
from codetether_core.access import Account, Credential
from codetether_core.agents import Agent
from codetether_core.artifacts import Leftover
from codetether_core.ports import Backend
from codetether_core.secrets import DataKey, Secret
from codetether_core.tool_servers import ToolServer
from codetether_core.workers import Worker

__all__ = ["SqliteBackend", "open_backend"]

_PARTIAL: Final = "SELECT 1 FROM meta WHERE name = 'partial'"
_BEGUN: Final = "INSERT OR REPLACE INTO meta VALUES ('partial', 1)"
_COMPLETED: Final = "DELETE FROM meta WHERE name = 'partial'"


@frozen(kw_only=True)
class SqliteBackend:
    """The stores of one file (a ``Backend``)."""

    tasks: SqliteTasks
    approvals: SqliteApprovals
    log: SqliteLog
    notifier: LocalNotifier
    codebases: SqliteCodebases
    directory: SqliteDirectory
    sessions: SqliteSessions
    inbox: SqliteInbox
    credentials: SqliteRecords[Credential]
    accounts: SqliteRecords[Account]
    secrets: SqliteRecords[Secret]
    data_keys: SqliteRecords[DataKey]
    tool_servers: SqliteRecords[ToolServer]
    webhooks: SqliteWebhooks
    leftovers: SqliteRecords[Leftover]
    audit: SqliteAudit
    _writer: Writer = field(alias="writer")
    _reader: Reader = field(alias="reader")

    async def is_whole(self) -> bool:
        """Whether nothing is noted that says otherwise."""
        return self._reader.row(_PARTIAL) is None

    async def set_whole(self, whole: bool) -> None:
        """Beside the schema's version."""
        await self._writer.write(lambda transaction: transaction.execute(_COMPLETED if whole else _BEGUN))

    async def now(self) -> datetime:
        """This machine's."""
        return datetime.now(UTC)

    async def ping(self) -> None:
        """Commit an empty transaction."""
        await self._writer.write(lambda transaction: None)


@asynccontextmanager
async def open_backend(url: str, *, strict: bool = False) -> AsyncIterator[Backend]:
    """The stores in the file that ``sqlite:///absolute/path`` names, made if there is none.

    They are ``strict`` in any case: every commit waits for the disk. ``Unavailable`` says what is wrong with the file
    and what to do.
    """
    path = file_of(url)
    with owned(path), closing(_open(path)) as connection:
        try:
            meta = bring_up_to_date(connection, path)
            (last,) = connection.execute("SELECT coalesce(max(position), 0) FROM events").fetchone()
        except sqlite3.Error as error:
            raise unavailable(error, path) from error
        scrubbed(connection)  # whoever had the file last may have been killed before it did so
        start, epoch = int(meta["start"]), str(meta["epoch"])
        notifier, ring = LocalNotifier(), Ring(max(last, start))
        reader = Reader(path)
        writer = Writer(connection, ring.head, epoch, _publisher(ring, notifier))
        try:
            yield SqliteBackend(
                tasks=SqliteTasks(writer, reader),
                approvals=SqliteApprovals(reader),
                log=SqliteLog(writer, reader, ring, epoch=epoch, start=start),
                notifier=notifier,
                codebases=SqliteCodebases(writer, reader),
                directory=SqliteDirectory(
                    SqliteRecords(Worker, "worker", writer, reader), SqliteRecords(Agent, "agent", writer, reader)
                ),
                sessions=SqliteSessions(writer, reader),
                inbox=SqliteInbox(writer, reader),
                credentials=SqliteRecords(Credential, "credential", writer, reader),
                accounts=SqliteRecords(Account, "account", writer, reader),
                secrets=SqliteRecords(Secret, "secret", writer, reader),
                data_keys=SqliteRecords(DataKey, "data_key", writer, reader),
                tool_servers=SqliteRecords(ToolServer, "tool_server", writer, reader),
                webhooks=SqliteWebhooks(writer, reader),
                leftovers=SqliteRecords(Leftover, "leftover", writer, reader),
                audit=SqliteAudit(writer, reader, epoch),
                writer=writer,
                reader=reader,
            )
        finally:
            await writer.close()
            await reader.close()


def _publisher(ring: Ring, notifier: LocalNotifier) -> Callable[[Transaction], None]:
    def publish(transaction: Transaction) -> None:
        ring.extend(transaction.records)
        for finish in transaction.after_commit:
            finish()
        notifier.ring(transaction.wake)

    return publish


def _open(path: Path) -> sqlite3.Connection:
    try:
        return connect(path)
    except sqlite3.Error as error:
        raise unavailable(error, path) from error
