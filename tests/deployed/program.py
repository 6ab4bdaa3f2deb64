"""A process whose lines can be waited for. It never outlives the test that started it."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence

from attrs import define, field

__all__ = ["PATIENCE", "Program"]

PATIENCE = 60.0
"""Longer than anything here takes: who waits for so long waits in vain."""


@define(eq=False)
class Program:
    """A running process and the lines that it has printed."""

    name: str
    process: subprocess.Popen[str]
    lines: list[str] = field(factory=list)
    ended: bool = False
    _news: threading.Condition = field(factory=threading.Condition)

    @classmethod
    def start(cls, name: str, command: Sequence[str], environment: Mapping[str, str]) -> Program:
        """Start it in a process group of its own."""
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        program = cls(name, process)
        threading.Thread(target=program._read, daemon=True).start()
        return program

    def until(self, *words: str, after: int = 0) -> int:
        """Wait for a line with all the words, from line ``after`` on; the number of the line after it."""
        with self._news:
            seen = after
            while True:
                for at in range(seen, len(self.lines)):
                    if all(word in self.lines[at] for word in words):
                        return at + 1
                seen = len(self.lines)
                if self.ended or not self._news.wait(PATIENCE):
                    raise AssertionError(f"{self.name} never said {words}:\n{self.said}")

    @property
    def said(self) -> str:
        """Its last lines."""
        return "".join(self.lines[-60:])

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def kill(self) -> None:
        """End it and what it started, as ``kill -9`` does."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE)

    def wait(self) -> int:
        """Its exit code."""
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        """End it if it has not."""
        if self.process.poll() is None:
            self.kill()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as source:
            for line in source:
                with self._news:
                    self.lines.append(line)
                    self._news.notify_all()
        with self._news:
            self.ended = True
            self._news.notify_all()
