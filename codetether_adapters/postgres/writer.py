"""Group commit without a timer: what arrives while one transaction is under way becomes the next.

There are three lanes, each with a session of its own: one for what the log, or somebody who listens, is to hear of,
which takes turns with the other replicas'; a quiet one for what nobody is told, mostly the renewals of leases; and the
keeper's, for what is of no tenant or of all, which takes turns, too.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Final, TypeAlias

import psycopg

from codetether_adapters.postgres.address import Address
from codetether_adapters.postgres.connection import Connection, Row, connect, patience
from codetether_adapters.postgres.durability import check_durability
from codetether_adapters.postgres.errors import unavailable
from codetether_adapters.postgres.group import Group, Outcome
from codetether_adapters.postgres.logins import Logins
from codetether_adapters.postgres.operation import NOTHING, Operation
from codetether_core.errors import Unavailable

__all__ = ["Writer"]

_BATCH: Final = 256
"""Operations in one transaction at most, which bounds how long the log's lock is held; more wait for the next."""

_TURNS: Final = 5
"""Turns of the event loop before a transaction begins: requests that are being read meanwhile share its commit."""

_TRIES: Final = 3

_COLLISIONS: Final = ("40001", "40P01")
"""SQLSTATEs of a transaction that was given up in favour of another one."""

_READS_ONLY: Final = "25006"

_OF_ONE: Final = (psycopg.DataError, psycopg.IntegrityError, psycopg.ProgrammingError)
"""What is wrong with one operation, rather than with the server."""

_Job: TypeAlias = tuple[Operation, asyncio.Future[Row]]
_Publish: TypeAlias = Callable[[Group], None]


class Writer:
    """The lanes. An operation that was handed over is done, whether its caller still waits or was cancelled.

    ``publish`` is called with every group that was committed, before its callers go on. Without an ``origin`` it is
    also who tells the other replicas. ``chain`` is the one of the audit trail that is added to.
    """

    def __init__(
        self, logins: Logins, origin: str | None, chain: str, publish: _Publish, *, strict: bool = False
    ) -> None:
        def lane(address: Address, *, quiet: bool = False, keeper: bool = False) -> _Lane:
            return _Lane(
                address, partial(Group, origin=origin, chain=chain, quiet=quiet, keeper=keeper), publish, strict
            )

        self._told = lane(logins.bound)
        self._quiet = lane(logins.bound, quiet=True)
        self._keeper = lane(logins.keeper, keeper=True)

    async def write(self, operation: Operation) -> Row:
        """Run the operation in the next transaction; its row, or what refused it, once that is durable."""
        if operation.tenant is None and operation.sql is not NOTHING:
            return await self._keeper.write(operation)
        return await (self._quiet if operation.quiet else self._told).write(operation)

    async def close(self) -> None:
        """Finish what was handed over, then stop."""
        await asyncio.gather(*(lane.close() for lane in (self._told, self._quiet, self._keeper)))


class _Lane:
    """A session that writes, one transaction after the other, and the operations that wait for it."""

    def __init__(
        self, address: Address, group: Callable[[Sequence[Operation]], Group], publish: _Publish, strict: bool
    ) -> None:
        self._address = address
        self._strict = strict
        self._group = group
        self._publish = publish
        self._waiting: deque[_Job] = deque()
        self._connection: Connection | None = None
        self._working: asyncio.Task[None] | None = None
        self._closed = False

    async def write(self, operation: Operation) -> Row:
        if self._closed:
            raise Unavailable("The PostgreSQL store is closed")
        future: asyncio.Future[Row] = asyncio.get_running_loop().create_future()
        self._waiting.append((operation, future))
        if self._working is None:
            self._working = asyncio.create_task(self._work())
        return await future

    async def close(self) -> None:
        self._closed = True
        if self._working is not None:
            await self._working
        await self._hang_up()

    async def _work(self) -> None:
        try:
            while self._waiting:
                for _ in range(_TURNS):
                    await asyncio.sleep(0)
                batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), _BATCH))]
                try:
                    outcomes = await self._commit([operation for operation, _ in batch])
                except Exception as error:
                    # A mistake of ours; the session may be in the middle of anything.
                    await self._hang_up()
                    outcomes = [error] * len(batch)
                for (_, future), outcome in zip(batch, outcomes, strict=True):
                    _tell(future, outcome)
        finally:
            self._working = None

    async def _commit(self, operations: Sequence[Operation]) -> Sequence[Outcome]:
        """Commit them together; each alone if one of them makes that fail."""
        try:
            return await self._attempt(operations)
        except Unavailable as error:
            return [error] * len(operations)
        except psycopg.Error as error:
            if error.sqlstate == _READS_ONLY:
                # The server lost its office; another one may have it.
                await self._hang_up()
            elif len(operations) > 1 and isinstance(error, _OF_ONE):
                return [outcome for operation in operations for outcome in await self._commit([operation])]
            elif isinstance(error, psycopg.errors.UniqueViolation) and operations[0].taken:
                return [operations[0].taken]
            return [unavailable(error)] * len(operations)

    async def _attempt(self, operations: Sequence[Operation]) -> Sequence[Outcome]:
        """Commit them together, again if that changed nothing for a reason that passes."""
        for attempt in range(1, _TRIES + 1):
            connection = await self._connect()
            group = self._group(operations)
            try:
                with patience(connection):
                    outcomes = await group.commit(connection)
            except psycopg.Error as error:
                lost = not await self._rolled_back(connection)
                if lost and group.committing:
                    raise Unavailable(
                        "The connection to PostgreSQL was lost during a commit, which may have been done",
                        hint="try again: what was done is not done twice",
                    ) from error
                if attempt == _TRIES and lost:
                    raise unavailable(error) from error
                if not lost and (attempt == _TRIES or error.sqlstate not in _COLLISIONS):
                    raise
            else:
                self._publish(group)
                return outcomes
        raise AssertionError("the last attempt returns or raises")

    async def _connect(self) -> Connection:
        if self._connection is None or self._connection.closed:
            connection = await connect(self._address)
            try:
                if self._strict:  # the server may be another one by now, or have been told otherwise
                    await check_durability(connection, self._address, strict=True)
            except BaseException:
                await connection.close()
                raise
            self._connection = connection
        return self._connection

    async def _rolled_back(self, connection: Connection) -> bool:
        """Whether the session lives and has no transaction any more; else it is given up."""
        try:
            with patience(connection):
                await connection.rollback()
        except psycopg.Error:
            await self._hang_up()
            return False
        return True

    async def _hang_up(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(psycopg.Error):
                await connection.close()


def _tell(future: asyncio.Future[Row], outcome: Outcome) -> None:
    if future.done():
        return
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
