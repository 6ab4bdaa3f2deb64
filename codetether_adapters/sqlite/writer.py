"""The one writer: group commit without a timer.

Statements run on the event loop's thread, where each takes microseconds and none competes for the interpreter's lock;
the commit is the committer's. What arrives meanwhile becomes the next transaction.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias, TypeVar

from codetether_adapters.sqlite.committer import Committer
from codetether_adapters.sqlite.connection import unavailable
from codetether_adapters.sqlite.transaction import Transaction
from codetether_core.errors import Unavailable

__all__ = ["Writer"]

T = TypeVar("T")

_BATCH: Final = 256
"""Operations in one transaction at most, which bounds how long the loop is kept; more wait for the next."""

_TURNS: Final = 5
"""Turns of the event loop before a transaction begins: requests that are being read meanwhile share its commit."""

_Operation: TypeAlias = Callable[[Transaction], Any]
_Job: TypeAlias = tuple[_Operation, asyncio.Future[Any]]
_Outcome: TypeAlias = tuple[Any, Exception | None]


class Writer:
    """Owns the writing connection. Whatever waits when it is free becomes one transaction.

    An operation that was handed over is done, whether its caller still waits or was cancelled. ``publish`` is called
    with every transaction that was committed, before its callers go on. ``chain`` is the one of the audit trail that is
    added to.
    """

    def __init__(
        self, connection: sqlite3.Connection, head: int, chain: str, publish: Callable[[Transaction], None]
    ) -> None:
        self._connection = connection
        self._chain = chain
        self._head = head
        self._publish = publish
        self._committer = Committer(connection)
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[_Job] = deque()
        self._working = False
        self._closing: asyncio.Future[None] | None = None

    async def write(self, operation: Callable[[Transaction], T]) -> T:
        """Run the operation in the next transaction; its result, or what it raised, once that is durable."""
        if self._closing is not None:
            raise Unavailable("The SQLite store is closed")
        future: asyncio.Future[T] = self._loop.create_future()
        self._waiting.append((operation, future))
        if not self._working:
            self._working = True
            self._gather(_TURNS)
        return await future

    async def close(self) -> None:
        """Finish what was handed over, then stop."""
        self._closing = self._loop.create_future()
        if self._working:
            await self._closing
        await self._committer.close()

    def _gather(self, turns: int) -> None:
        """Let others come along, without a timer: a commit costs far more than these turns do."""
        if turns:
            self._loop.call_soon(self._gather, turns - 1)
        else:
            self._work()

    def _work(self) -> None:
        """Execute what waits and have it committed; ``_finish`` comes back here."""
        batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), _BATCH))]
        transaction = Transaction(self._connection, self._head, self._chain)
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            outcomes = [self._attempt(transaction, operation) for operation, _ in batch]
        except sqlite3.Error as error:
            self._finish(batch, transaction, (), error)
        else:
            self._committer.commit(
                lambda failure: self._finish(batch, transaction, outcomes, failure), scrub=transaction.scrubbed
            )

    def _attempt(self, transaction: Transaction, operation: _Operation) -> _Outcome:
        try:
            return transaction.attempt(operation), None
        except sqlite3.Error as error:
            if not self._connection.in_transaction:
                raise
            return None, unavailable(error)
        except Exception as error:
            return None, error

    def _finish(
        self,
        batch: Sequence[_Job],
        transaction: Transaction,
        outcomes: Sequence[_Outcome],
        failure: sqlite3.Error | None,
    ) -> None:
        """Publish what is durable, then tell the callers; if the transaction failed, all of them failed."""
        if failure is None:
            self._head = transaction.head
            self._publish(transaction)
        else:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            outcomes = [(None, unavailable(failure)) for _ in batch]
        for (_, future), (result, error) in zip(batch, outcomes, strict=True):
            if future.done():
                continue
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)
        self._go_on()

    def _go_on(self) -> None:
        if self._waiting:
            self._gather(_TURNS)
            return
        self._working = False
        if self._closing is not None:
            self._closing.set_result(None)
