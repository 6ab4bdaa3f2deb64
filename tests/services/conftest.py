"""The services over real stores, with a clock that only moves when somebody sleeps."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from attrs import define

from codetether_adapters import memory, sqlite
from codetether_core.ports import Backend
from contracts.ports.samples import NOW


@define(eq=False)
class FakeClock:
    """Sleeping is what moves it."""

    at: datetime = NOW

    def now(self) -> datetime:
        return self.at

    async def sleep(self, duration: timedelta) -> None:
        self.at += duration
        await asyncio.sleep(0)


class Dice:
    """Real entropy."""

    def bytes(self, count: int) -> bytes:
        return secrets.token_bytes(count)

    def fraction(self) -> float:
        return 0.5


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=["memory", "sqlite"])
async def backend(request: pytest.FixtureRequest, anyio_backend: str, tmp_path: Path) -> AsyncIterator[Backend]:
    """A new store of each kind."""
    url = "memory://" if request.param == "memory" else f"sqlite://{tmp_path}/store.db"
    async with (memory if request.param == "memory" else sqlite).open_backend(url) as backend:
        yield backend
