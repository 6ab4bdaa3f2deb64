"""Opening the PostgreSQL stores."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Final

import psycopg
from attrs import field, frozen

from codetether_adapters.postgres.approvals import PostgresApprovals
from codetether_adapters.postgres.audit import PostgresAudit
from codetether_adapters.postgres.channel import CHANNEL, open_own_channel
from codetether_adapters.postgres.connection import connect
from codetether_adapters.postgres.durability import DURABILITY, check_durability, require_durability
from codetether_adapters.postgres.encoding import moment
from codetether_adapters.postgres.errors import unavailable
from codetether_adapters.postgres.following import Following
from codetether_adapters.postgres.group import Group
from codetether_adapters.postgres.inbox import PostgresInbox
from codetether_adapters.postgres.log import PostgresLog
from codetether_adapters.postgres.logins import Logins, check_logins
from codetether_adapters.postgres.notifier import PostgresNotifier
from codetether_adapters.postgres.operation import Operation
from codetether_adapters.postgres.queues import AFTER, Queues
from codetether_adapters.postgres.reader import Overseer, Reader
from codetether_adapters.postgres.records import PostgresCodebases, PostgresDirectory, PostgresRecords
from codetether_adapters.postgres.schema import bring_up_to_date, identity
from codetether_adapters.postgres.server import READS_ONLY, check_row_security, check_server, reads_only
from codetether_adapters.postgres.sessions import PostgresSessions
from codetether_adapters.postgres.tail import Tail
from codetether_adapters.postgres.tasks import PostgresTasks
from codetether_adapters.postgres.webhooks import PostgresWebhooks
from codetether_adapters.postgres.writer import Writer
from codetether_core.access import Account, Credential
from codetether_core.agents import Agent
from codetether_core.artifacts import Leftover
from codetether_core.ports import Backend, OpenChannel
from codetether_core.secrets import DataKey, Secret
from codetether_core.tool_servers import ToolServer
from codetether_core.workers import Worker

__all__ = ["PostgresBackend", "open_backend"]

_PARTIAL: Final = "SELECT 1 FROM meta WHERE name = 'partial'"
_BEGUN: Final = "INSERT INTO meta VALUES ('partial', '1') ON CONFLICT DO NOTHING RETURNING name"
_COMPLETED: Final = "DELETE FROM meta WHERE name = 'partial' RETURNING name"
_NOW: Final = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"


@frozen(kw_only=True)
class PostgresBackend:
    """The stores of one database (a ``Backend``)."""

    tasks: PostgresTasks
    approvals: PostgresApprovals
    log: PostgresLog
    notifier: PostgresNotifier
    codebases: PostgresCodebases
    directory: PostgresDirectory
    sessions: PostgresSessions
    inbox: PostgresInbox
    credentials: PostgresRecords[Credential]
    accounts: PostgresRecords[Account]
    secrets: PostgresRecords[Secret]
    data_keys: PostgresRecords[DataKey]
    tool_servers: PostgresRecords[ToolServer]
    webhooks: PostgresWebhooks
    leftovers: PostgresRecords[Leftover]
    audit: PostgresAudit
    _logins: Logins = field(alias="logins")
    _reader: Reader = field(alias="reader")
    _overseer: Overseer = field(alias="overseer")
    _writer: Writer = field(alias="writer")
    _strict: bool = field(alias="strict")

    async def is_whole(self) -> bool:
        """Whether nothing is noted that says otherwise."""
        return await self._overseer.row(_PARTIAL) is None

    async def set_whole(self, whole: bool) -> None:
        """Beside the schema's version."""
        sql = _COMPLETED if whole else _BEGUN
        await self._writer.write(Operation(tenant=None, sql=sql, settle=lambda row: ()))

    async def now(self) -> datetime:
        """The server's."""
        row = await self._overseer.row(_NOW)
        return datetime.now(UTC) if row is None else moment(row[0])

    async def ping(self) -> None:
        """Ask the server whether it takes writes and, if that is wanted, keeps them; whether both logins get in."""
        if await self._overseer.row(READS_ONLY) == (True,):
            raise reads_only(self._logins.keeper)
        if self._strict:
            require_durability(await self._overseer.row(DURABILITY), self._logins.keeper)
        await self._reader.ping()


@asynccontextmanager
async def open_backend(
    url: str,
    *,
    strict: bool = False,
    open_channel: OpenChannel | None = None,
    keeper: str | None = None,
    move_up_after: int = AFTER,
) -> AsyncIterator[Backend]:
    """The stores in the database that ``postgresql://user:password@host:port/database`` names; its schema is made or
    brought up to date. Queues move up when so many tasks have left them.

    Replicas tell each other over the channel that is given, the same for all of them, or over the database's own.
    What is of all tenants is done by the login of the address ``keeper``, if there is one, and the rest by another.
    A ``strict`` store refuses a server that may lose what it committed; any other is told of in the log.
    ``Invalid`` for a malformed address, or a login that may do too little or too much; ``Unavailable`` for a server,
    login, database or schema that cannot be used.
    """
    logins = Logins.parse(url, keeper)
    name = await _make_ready(logins, strict)
    origin = secrets.token_hex(4)
    async with AsyncExitStack() as stack:
        reader, overseer = Reader(logins.bound), Overseer(logins.keeper)
        for pool in (reader, overseer):
            stack.push_async_callback(pool.close)
            await pool.open()
        channel = await stack.enter_async_context(
            open_channel(name) if open_channel else open_own_channel(logins.keeper, overseer, CHANNEL)
        )
        notifier = PostgresNotifier(channel, origin)
        tail = Tail(overseer, notifier)
        await tail.open()
        following = Following(tail, notifier, channel, origin)
        stack.push_async_callback(following.close)

        def publish(group: Group) -> None:
            tail.publish(group.head, group.records, group.wake)
            if open_channel and (group.records or group.wake):
                notifier.tell(group.head + len(group.records), group.wake)

        writer = Writer(logins, None if open_channel else origin, name, publish, strict=strict)
        stack.push_async_callback(writer.close)
        yield PostgresBackend(
            tasks=PostgresTasks(writer, reader, overseer, Queues(writer, move_up_after)),
            approvals=PostgresApprovals(reader),
            log=PostgresLog(writer, reader, overseer, tail),
            notifier=notifier,
            codebases=PostgresCodebases(writer, reader),
            directory=PostgresDirectory(
                PostgresRecords(Worker, "worker", writer, reader), PostgresRecords(Agent, "agent", writer, reader)
            ),
            sessions=PostgresSessions(writer, reader, overseer),
            inbox=PostgresInbox(writer, reader),
            credentials=PostgresRecords(Credential, "credential", writer, reader),
            accounts=PostgresRecords(Account, "account", writer, reader),
            secrets=PostgresRecords(Secret, "secret", writer, reader),
            data_keys=PostgresRecords(DataKey, "data_key", writer, reader),
            tool_servers=PostgresRecords(ToolServer, "tool_server", writer, reader),
            webhooks=PostgresWebhooks(writer, reader, overseer),
            leftovers=PostgresRecords(Leftover, "leftover", writer, reader),
            audit=PostgresAudit(writer, reader, overseer, name),
            logins=logins,
            reader=reader,
            overseer=overseer,
            writer=writer,
            strict=strict,
        )


async def _make_ready(logins: Logins, strict: bool) -> str:
    """Bring the database up to date; its identity."""
    address = logins.keeper
    connection = await connect(address)
    try:
        await check_server(connection, address)
        await check_durability(connection, address, strict=strict)
        bound = await check_logins(connection, logins)
        await bring_up_to_date(connection, address, bound)
        if bound is None:
            await check_row_security(connection)
        return await identity(connection)
    except psycopg.Error as error:
        raise unavailable(error) from error
    finally:
        await connection.close()
