"""``codetether task watch``, and the options of whatever follows a task."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from codetether_apps.cli.connection import connected
from codetether_apps.cli.following import Following, followed
from codetether_apps.cli.wishes import shared

__all__ = ["following_options", "watch"]


def following_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of following, as one argument ``following``."""

    @click.option("--timeout", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", help="Follow no longer.")
    @click.option("--cancel-on-interrupt", is_flag=True, help="Ctrl-C cancels the task.")
    @click.option("--wait-for-input", is_flag=True, help="Go on following while it waits for an answer.")
    @wraps(function)
    def with_options(
        *args: Any, timeout: float | None, cancel_on_interrupt: bool, wait_for_input: bool, **options: Any
    ) -> Any:
        return function(*args, following=Following(timeout, cancel_on_interrupt, wait_for_input), **options)

    return with_options


@click.command()
@click.argument("id")
@click.option("--since", default="", metavar="CURSOR", help="Only what came after; a cursor is in the JSON of events.")
@following_options
@shared
@click.pass_context
def watch(ctx: click.Context, id: str, since: str, following: Following) -> int:
    """Follow a task, from its beginning to its end.

    What the agent prints goes to stdout. Ctrl-C leaves the task running.
    """
    with connected(ctx) as client:
        return followed(ctx, client, id, following, since=since)
