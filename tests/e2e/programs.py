"""Our programs as real processes, which never outlive the test that started them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from attrs import define

__all__ = ["PATIENCE", "ROOT", "Program", "start", "until"]

T = TypeVar("T")

ROOT = Path(__file__).parents[2]
PATIENCE = 90.0
_FOREIGN = ("CODETETHER_", "A2A_", "DATABASE_URL", "PYTHONDONTWRITEBYTECODE")
"""What no program inherits: others' settings, and that each of hundreds compiles all modules for itself."""


@define(eq=False)
class Program:
    """A process and what it said; ``tree`` has the modules of ours that it runs."""

    process: subprocess.Popen[bytes]
    log: Path
    tree: Path

    @property
    def said(self) -> str:
        """Its standard output and error so far."""
        return self.log.read_text(errors="replace")

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def wait(self) -> int:
        """Its exit code, once it has ended."""
        return self.process.wait(PATIENCE)

    def kill(self) -> None:
        """End it as ``kill -9`` does."""
        self.process.kill()
        self.process.wait(PATIENCE)


def start(log: Path, settings: Mapping[str, str], *command: str, tree: Path = ROOT) -> Program:
    """``python COMMAND`` with these settings and no others."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    with log.open("ab") as said:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=tree,
            env={**inherited, "XDG_CONFIG_HOME": str(log.parent), "CODETETHER_MCP_PORT": "0", **settings},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=said,
        )
    return Program(process, log, tree)


def until(condition: Callable[[], T], what: str = "it", *, patience: float = PATIENCE) -> T:
    """What ``condition`` returns once it is true."""
    deadline = time.monotonic() + patience
    while True:
        if found := condition():
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not happen within {patience:.0f} s")
        time.sleep(0.01)
