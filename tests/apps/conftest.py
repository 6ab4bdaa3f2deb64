"""Programs that end with the test that started them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

import pytest

from tests.e2e.programs import Program, start


class Launch(Protocol):
    """Starts ``python COMMAND``; what it says goes to ``log``."""

    def __call__(self, log: Path, settings: Mapping[str, str], *command: str) -> Program: ...


@pytest.fixture
def launch() -> Iterator[Launch]:
    """The way to start programs."""
    programs: list[Program] = []

    def launched(log: Path, settings: Mapping[str, str], *command: str) -> Program:
        programs.append(start(log, settings, *command))
        return programs[-1]

    yield launched
    for program in programs:
        program.kill()
