"""What the core loads, and what it offers."""

import importlib
import pkgutil
import subprocess
import sys
from types import ModuleType
from typing import TypeVar

import pytest

import codetether_core

ALLOWED = {"codetether_core", "attr", "attrs", "cattr", "cattrs", "typing_extensions", "exceptiongroup"}
"""Two libraries of values, and what they load themselves."""

MODULES = sorted(
    ["codetether_core"]
    + [module.name for module in pkgutil.walk_packages(codetether_core.__path__, "codetether_core.")]
)


def everything_loaded_by(statement: str) -> set[str]:
    program = f"import sys; before = set(sys.modules); {statement}; print(*set(sys.modules) - before)"
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in run.stdout.split()}


@pytest.mark.parametrize("statement", ["import codetether_core", f"import {', '.join(MODULES)}"], ids=["root", "all"])
def test_importing_the_core_loads_the_standard_library_attrs_and_cattrs_only(statement: str) -> None:
    """Other services import it into processes of their own; it must bring neither a framework nor a driver along."""
    assert everything_loaded_by(statement) - sys.stdlib_module_names <= ALLOWED


def test_importing_the_core_starts_nothing() -> None:
    """No event loop, no socket, no thread pool: what is not needed to compute on values is not even loaded."""
    idle = {"asyncio", "socket", "ssl", "sqlite3", "multiprocessing", "concurrent", "http", "logging"}
    assert not everything_loaded_by("import codetether_core") & idle


def names_of(module: ModuleType) -> set[str]:
    """The public names that a module defines, or that a package takes from its modules."""
    package = hasattr(module, "__path__")
    return {
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and not isinstance(value, ModuleType | TypeVar)
        and getattr(value, "__module__", module.__name__).startswith(module.__name__)
        and (package or getattr(value, "__module__", None) == module.__name__)
    }


def sorted_as_ruff_does(names: list[str]) -> list[str]:
    """Constants, then classes, then the rest (RUF022), each in order of the alphabet."""
    return sorted(names, key=lambda name: (0 if name.isupper() else 1 if name[0].isupper() else 2, name))


@pytest.mark.parametrize("name", MODULES)
def test_every_module_says_what_it_offers_sorted_and_all_of_it(name: str) -> None:
    module = importlib.import_module(name)
    assert list(module.__all__) == sorted_as_ruff_does(module.__all__)
    assert len(set(module.__all__)) == len(module.__all__)
    assert all(hasattr(module, offered) for offered in module.__all__)
    assert names_of(module) <= set(module.__all__)


def test_the_public_names_of_the_core_are_these() -> None:
    """Other programs import them: adding one is a decision, taking one away a breaking change."""
    assert codetether_core.__all__ == [
        "DEFAULT_TENANT",
        "TRANSITIONS",
        "CodeTetherError",
        "CodebaseId",
        "Cursor",
        "Event",
        "Grant",
        "LeaseTerms",
        "Principal",
        "Task",
        "TaskId",
        "TaskSpec",
        "TaskState",
        "TenantId",
        "Topic",
        "Trigger",
        "Word",
        "WorkerId",
        "answer",
        "ask",
        "cancel",
        "claim",
        "complete",
        "fail",
        "lapse",
        "new_id",
        "release",
        "renew",
        "requeue",
    ]
