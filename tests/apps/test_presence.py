"""What a process's log says of a store that is away."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from codetether_apps.wiring.presence import tell_of_absence
from codetether_core.errors import Unavailable

pytestmark = pytest.mark.anyio


async def test_an_absence_is_told_once_and_so_is_its_end() -> None:
    """However often one looks; with the next step."""
    answers: Iterator[bool] = iter([True, False, False, False, True, True, False])
    looked = asyncio.Event()

    async def ping() -> None:
        if (answer := next(answers, None)) is None:
            looked.set()
            await asyncio.Event().wait()
        if not answer:
            raise Unavailable("It is away", hint="look")

    with capture_logs() as logs:
        telling = asyncio.create_task(tell_of_absence("store", ping, every=0))
        await looked.wait()
        telling.cancel()
    assert [each["event"] for each in logs] == ["store_away", "store_back", "store_away"]
    assert (logs[0]["error"], logs[0]["hint"]) == ("It is away", "look")
