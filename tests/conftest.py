"""What every test may count on."""

import os

import pytest
from hypothesis import settings

# How long the state machines run: every day, and over night.
settings.register_profile("daily", max_examples=25, deadline=None)
settings.register_profile("soak", max_examples=2000, stateful_step_count=60, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "daily"))


@pytest.fixture
def anyio_backend() -> str:
    """Coroutines run on asyncio, which is what the adapters are written for."""
    return "asyncio"
