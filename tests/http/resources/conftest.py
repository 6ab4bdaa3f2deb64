"""The API over each embedded store: the same answers are promised on every one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from codetether_adapters import memory, sqlite
from tests.http.resources.browsers import SignedIn, open_signed_in
from tests.http.resources.harness import Api, open_api


@pytest.fixture(params=["memory", "sqlite"])
async def api(request: pytest.FixtureRequest, anyio_backend: str, tmp_path: Path) -> AsyncIterator[Api]:
    """The application, and those who use it."""
    if request.param == "memory":
        opened = memory.open_backend("memory://")
    else:
        opened = sqlite.open_backend(f"sqlite:///{tmp_path}/codetether.db")
    async with opened as backend, open_api(backend) as api:
        yield api


@pytest.fixture
async def signed_in() -> AsyncIterator[SignedIn]:
    """A browser in which ann is signed in."""
    async with open_signed_in() as signed_in:
        yield signed_in
