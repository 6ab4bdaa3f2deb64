"""What a person sees of a task: its output on stdout, everything else on stderr."""

from __future__ import annotations

import os
import sys
from types import TracebackType
from typing import TYPE_CHECKING

from codetether_adapters.client import TaskEvent
from codetether_apps.cli.harmless import Harmless, harmless
from codetether_apps.cli.printing import say
from codetether_core.errors import CodeTetherError
from codetether_core.tasks import TaskState

if TYPE_CHECKING:
    from rich.status import Status

__all__ = ["Screen"]

_KEPT = 65_536


class Screen:
    """Shows events; on a terminal a spinner turns until the first output."""

    def __init__(self) -> None:
        self._spinner: Status | None = None
        self._cleaned = {"stdout": Harmless(), "stderr": Harmless()}
        self._printed = ""
        self._spoken: set[object] = set()  # the attempts that had something to say on stdout

    def __enter__(self) -> Screen:
        if sys.stderr.isatty() and not os.environ.get("NO_COLOR"):
            from rich.console import Console
            from rich.status import Status

            self._spinner = Status("waiting for a worker", console=Console(stderr=True))
            self._spinner.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop_spinning()
        for each in self._cleaned.values():
            self._print(each.rest())

    def show(self, event: TaskEvent) -> None:
        """Show one event."""
        match event.name:
            case "output":
                self._hear(event, _stream(event))
            case "tool_use" | "file_change":
                self.tell(f"· {event.name.replace('_', ' ')}: {_named(event)}")
            case "resync":
                self.tell("· the server has lost its place; what follows may have a gap")
            case "status" if event.status is not None:
                self.tell(f"· {_standing(event, event.status)}")
                if self._spinner is not None and event.status is TaskState.RUNNING:
                    self._spinner.update("working")
            case "complete" | "error" if event.ends:
                self._end(event)
            case _:
                pass

    def _hear(self, event: TaskEvent, stream: str) -> None:
        text = self._cleaned.setdefault(stream, Harmless()).feed(_words(event))
        if stream == "stdout" and text.strip():
            self._spoken.add(event.data.get("attempt"))
        self._print(text)

    def _end(self, event: TaskEvent) -> None:
        """The result is for those who have seen nothing: mostly it is what was printed, cut or cleaned."""
        result, error = event.data.get("result"), event.data.get("error")
        if self._printed and not self._printed.endswith("\n"):
            self._print("\n")
        if isinstance(result, str) and (result := harmless(result).rstrip()):
            if event.data.get("attempt") not in self._spoken:
                self._print(f"{result}\n")
            elif not self._printed.rstrip().endswith(result):
                self.tell(f"· its result: codetether task show {event.data.get('task_id')}")
        status = event.status.value if event.status else event.name
        self.tell(f"· {status}: {error}" if isinstance(error, str) and error else f"· {status}")

    def _print(self, text: str) -> None:
        if text:
            self._stop_spinning()
            print(text, end="", flush=True)
            self._printed = (self._printed + text)[-_KEPT:]

    def tell_of_cut(self, problem: CodeTetherError | None) -> None:
        """The connection is lost, or back."""
        self.tell(f"· trying again: {problem}" if problem else "· connected again")

    def tell(self, text: str) -> None:
        """A word to the person, on stderr."""
        if self._printed and not self._printed.endswith("\n") and sys.stdout.isatty():
            self._print("\n")
        if (spinner := self._spinner) is not None:
            spinner.console.print(harmless(text), markup=False, highlight=False)
        else:
            say(text)

    def _stop_spinning(self) -> None:
        if self._spinner is not None:
            self._spinner.stop()
            self._spinner = None


def _words(event: TaskEvent) -> str:
    """The text of an output event; of an agent that speaks JSON lines, what it says in them."""
    spoken = event.data.get("event")
    if isinstance(spoken, dict):
        part = spoken.get("part")
        text = part.get("text") if isinstance(part, dict) else spoken.get("text")
        return f"{text.rstrip()}\n" if isinstance(text, str) and text.strip() else ""
    return event.text


def _stream(event: TaskEvent) -> str:
    return str(event.data.get("stream", "stdout"))


def _named(event: TaskEvent) -> str:
    spoken = event.data.get("event")
    told = spoken if isinstance(spoken, dict) else event.data
    part = told.get("part")
    for source in (part if isinstance(part, dict) else {}, told):
        for name in ("title", "tool", "file", "path", "name"):
            if isinstance(source.get(name), str):
                return str(source[name])
    return event.text.strip()[:200]


def _standing(event: TaskEvent, status: TaskState) -> str:
    words = status.value.replace("_", " ")
    worker, reason = event.data.get("worker_id"), event.data.get("reason")
    if status is TaskState.RUNNING and worker:
        words += f" on {worker}"
    attempt = event.data.get("attempt")
    if isinstance(attempt, int) and attempt > 1:
        words += f", attempt {attempt}"
    return f"{words} ({reason})" if reason else words
