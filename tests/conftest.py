"""What every test may count on."""

import pytest


@pytest.fixture
def anyio_backend() -> str:
    """Coroutines run on asyncio, which is what the adapters are written for."""
    return "asyncio"
