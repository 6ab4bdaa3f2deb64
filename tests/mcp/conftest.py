"""The endpoint for each era of the protocol."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.mcp.hub import HANDSHAKE, MODERN, Hub, open_hub


@pytest.fixture(params=[MODERN, HANDSHAKE])
async def hub(request: pytest.FixtureRequest, anyio_backend: str) -> AsyncIterator[Hub]:
    """The application, and who uses it."""
    async with open_hub(request.param) as opened:
        yield opened
