"""Following a task: output to stdout, progress to stderr, and an exit code at the end."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from types import FrameType
from typing import TYPE_CHECKING

import click
from attrs import frozen

from codetether_apps.cli.exits import DEADLINE, INPUT_REQUIRED, INTERRUPTED, TASK_FAILED
from codetether_apps.cli.printing import print_event, say, wants_json
from codetether_core.errors import Conflict
from codetether_core.tasks import TaskState

if TYPE_CHECKING:
    from codetether_adapters.client import Client

__all__ = ["Following", "followed"]


@frozen
class Following:
    """How to follow: no longer than ``timeout`` seconds; what Ctrl-C and a question of the agent do."""

    timeout: float | None = None
    cancel_on_interrupt: bool = False
    wait_for_input: bool = False


class _TimeIsUp(Exception):
    """The time to follow is over."""


def followed(ctx: click.Context, client: Client, id: str, how: Following, *, since: str = "") -> int:
    """Follow the task to its end, or as long as we may; the exit code."""
    from codetether_apps.cli.screen import Screen
    from codetether_apps.cli.waiting import Waiting

    try:
        with (
            _at_most(how.timeout),
            Screen() as screen,
            closing(client.tasks.watch(id, since=since, told=screen.tell_of_cut)) as events,
            Waiting(client, id, screen.tell) as waiting,
        ):
            for event in events:
                waiting.hear(event.status)
                if wants_json(ctx):
                    print_event(event)
                else:
                    screen.show(event)
                if event.status is TaskState.INPUT_REQUIRED and _asks(client, id) and not _stays(ctx, how):
                    return INPUT_REQUIRED
                if event.ends:
                    return 0 if event.status is TaskState.COMPLETED else TASK_FAILED
    except _TimeIsUp:
        say(f"not finished after {how.timeout:g} s; the task goes on\n{_way_back(id)}")
        return DEADLINE
    except KeyboardInterrupt:
        _leave(client, id, how)
        return INTERRUPTED
    return TASK_FAILED


def _leave(client: Client, id: str, how: Following) -> None:
    if not how.cancel_on_interrupt:
        say(f"\ndetached; the task goes on\n{_way_back(id)}\n  → codetether task cancel {id}")
        return
    try:
        client.tasks.cancel(id)
        say(f"\ncancelled {id}")
    except Conflict as error:
        say(f"\n{error.message}")


def _asks(client: Client, id: str) -> bool:
    """Show what the agent asks; whether it still does."""
    questions = client.approvals.list(task=id)
    for each in questions:
        choices = "|".join(option.id for option in each.options)
        say(f"? {each.prompt}\n  → codetether approval answer {each.id} {choices or '--text …'}")
    return bool(questions)


def _stays(ctx: click.Context, how: Following) -> bool:
    """Whether somebody sits there who may answer elsewhere; a script would hang."""
    return how.wait_for_input or (sys.stdin.isatty() and not wants_json(ctx))


def _way_back(id: str) -> str:
    return f"  → codetether task watch {id}"


@contextmanager
def _at_most(seconds: float | None) -> Iterator[None]:
    """Within, ``_TimeIsUp`` is raised once the seconds are over, also out of a blocking read."""
    if seconds is None:
        yield
        return
    if not hasattr(signal, "setitimer"):
        raise click.UsageError("--timeout needs a system with timers (POSIX).")

    def ring(number: int, frame: FrameType | None) -> None:
        raise _TimeIsUp

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
