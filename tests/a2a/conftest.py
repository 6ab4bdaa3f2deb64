"""The binding over each embedded store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from codetether_adapters import memory, sqlite
from tests.a2a.hub import Hub
from tests.http.resources.harness import open_api


@pytest.fixture(params=["memory", "sqlite"])
async def hub(request: pytest.FixtureRequest, anyio_backend: str, tmp_path: Path) -> AsyncIterator[Hub]:
    """The application, and those who use it."""
    if request.param == "memory":
        opened = memory.open_backend("memory://")
    else:
        opened = sqlite.open_backend(f"sqlite:///{tmp_path}/codetether.db")
    async with opened as backend, open_api(backend) as api:
        yield Hub(api)
