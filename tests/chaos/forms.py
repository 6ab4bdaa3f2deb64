"""On which stores a story is told, and under which seeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pytest

from tests.e2e.engines import SHARED

__all__ = ["told_on"]

_SEEDS: Final = range(1, 4)


def told_on(*everyday: str, engines: Sequence[str] = SHARED) -> pytest.MarkDecorator:
    """On these engines every day; by ``make chaos`` on all of them, under several seeds. The seed is in the name."""
    forms = [pytest.param(engine, 0, id=engine) for engine in everyday]
    forms += [
        pytest.param(engine, seed, id=f"{engine}-seed{seed}", marks=pytest.mark.chaos)
        for engine in engines
        for seed in _SEEDS
    ]
    return pytest.mark.parametrize(("engine", "seed"), forms)
