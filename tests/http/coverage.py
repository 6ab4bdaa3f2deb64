"""Which test is about which route.

A route's id is its method and path as the table has them, ``POST /v1/agent/codebases/{id}/tasks``; aliases count as
the canonical route. ``tests/contracts/test_routes.py`` fails while a served route is named by no test.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final, TypeVar

__all__ = ["COVERED", "covers", "load_tests", "uncovered"]

F = TypeVar("F", bound=Callable[..., Any])

COVERED: Final[dict[str, set[str]]] = {}
"""Route ids, each with the names of the tests that say they cover it."""


def covers(*routes: str) -> Callable[[F], F]:
    """Mark a test as being about these routes: it changes state through another route and sees it in theirs."""

    def mark(test: F) -> F:
        for route in routes:
            COVERED.setdefault(route, set()).add(f"{test.__module__}.{test.__qualname__}")
        return test

    return mark


def load_tests() -> None:
    """Import every module of HTTP tests that marks some: ``COVERED`` is complete whatever part of the suite runs."""
    here = Path(__file__).parent
    for path in sorted(here.rglob("test_*.py")):
        if "covers(" in path.read_text(encoding="utf-8"):
            parts = path.relative_to(here).with_suffix("").parts
            importlib.import_module(".".join(("tests", "http", *parts)))


def uncovered(routes: Iterable[str]) -> list[str]:
    """Those of the route ids that no test covers."""
    return sorted(route for route in routes if route not in COVERED)
