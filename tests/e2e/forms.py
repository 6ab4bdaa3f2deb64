"""On which stores a story is told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pytest

from tests.e2e.engines import ENGINES

__all__ = ["told_on"]

_AT_LENGTH: Final = pytest.mark.chaos


def told_on(*everyday: str, fixture: str = "cluster", engines: Sequence[str] = ENGINES) -> pytest.MarkDecorator:
    """On these engines every day; on the others by ``make chaos``.

    What a store has to keep is every store's contract. A story shows that the programs keep it together.
    """
    forms = [pytest.param(engine, marks=() if engine in everyday else _AT_LENGTH) for engine in engines]
    return pytest.mark.parametrize(fixture, forms, indirect=True)
