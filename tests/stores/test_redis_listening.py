"""Hearing messages, and ceasing to when told."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from redis.asyncio.connection import AbstractConnection

from codetether_adapters.redis.listening import next_message

pytestmark = pytest.mark.anyio


class Hiding:
    """A connection on which all is quiet, and that hides the first cancellation, which comes while it sends.

    So does ``asyncio.wait_for`` of CPython 3.11, if what it waits for is done by then.
    """

    hides = True

    async def read_response(self, **_: Any) -> Any:
        await asyncio.sleep(0)
        return None

    async def send_command(self, *_: str) -> None:
        try:
            await asyncio.sleep(0)
        except asyncio.CancelledError:
            if not self.hides:
                raise
            self.hides = False


async def test_who_listens_for_ever_ends_although_the_driver_hides_that_it_was_told_to() -> None:
    connection = cast(AbstractConnection, Hiding())

    async def listen() -> None:
        while True:
            await next_message(connection)

    listening = asyncio.create_task(listen())
    for _ in range(2):  # now it is sending
        await asyncio.sleep(0)
    listening.cancel()
    await asyncio.wait({listening}, timeout=10)
    assert listening.cancelled()
