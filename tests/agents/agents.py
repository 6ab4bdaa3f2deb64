"""Agents for the tests: small Python programs that misbehave."""

import sys
import textwrap
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import psutil

from codetether_adapters.agents import CommandRunner, CommandTemplate
from codetether_core.ids import CodebaseId, TaskId
from codetether_core.ports import Answer, Inquiry, Run
from codetether_core.tasks import OutputChunk

__all__ = ["Output", "gone", "nobody", "python", "run_in", "runner"]


class Output:
    """What was emitted; ``until`` waits for a word in it."""

    def __init__(self) -> None:
        self.chunks: list[OutputChunk] = []
        self._more = anyio.Event()

    async def emit(self, chunk: OutputChunk) -> None:
        self.chunks.append(chunk)
        self._more.set()
        self._more = anyio.Event()

    def text(self, stream: str = "stdout") -> str:
        return "".join(chunk.text for chunk in self.chunks if chunk.stream == stream)

    async def until(self, done: Callable[[str], bool]) -> None:
        with anyio.fail_after(20):
            while not done(self.text()):
                await self._more.wait()


def python(source: str, **more: Any) -> CommandTemplate:
    return CommandTemplate(name="test", command=(sys.executable, "-uc", textwrap.dedent(source)), **more)


def runner(source: str, **more: Any) -> CommandRunner:
    return CommandRunner(python(source, **more), grace=timedelta(milliseconds=300))


def run_in(directory: Path, **more: Any) -> Run:
    words = {"prompt": "hello", **more}
    return Run(task=TaskId("tsk_1"), codebase=CodebaseId("cb_1"), directory=str(directory), **words)


async def nobody(inquiry: Inquiry) -> Answer:
    raise AssertionError(f"nobody is there to be asked {inquiry.prompt!r}")


def gone(pids: list[int]) -> bool:
    """Whether no process, not even a zombie, has one of these pids."""
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            psutil.Process(pid)
            return False
    return True
