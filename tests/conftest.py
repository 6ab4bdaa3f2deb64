"""What every test may count on."""

import os

import pytest
from hypothesis import settings

# How long the state machines run: at the desk, in continuous integration, and over night.
settings.register_profile("dev", max_examples=25, deadline=None)
settings.register_profile("ci", max_examples=40, deadline=None)
settings.register_profile("soak", max_examples=2000, stateful_step_count=60, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") else "dev"))


@pytest.fixture
def anyio_backend() -> str:
    """Coroutines run on asyncio, which is what the adapters are written for."""
    return "asyncio"
