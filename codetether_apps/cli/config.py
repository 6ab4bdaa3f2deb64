"""``codetether config``."""

from __future__ import annotations

import os
from collections.abc import Callable

import click

from codetether_apps.cli.connection import settings_of
from codetether_apps.cli.lazy import Group
from codetether_apps.cli.printing import print_json, print_table, say, wants_json
from codetether_apps.cli.wishes import Wishes, shared
from codetether_apps.settings import Shown, described, misspelt_variables

__all__ = ["config"]


@click.group(cls=Group)
def config() -> None:
    """Show the settings, and where each is from."""


@config.command()
@click.option("--origin", is_flag=True, help="Say where each has its value from.")
@shared
@click.pass_context
def show(ctx: click.Context, origin: bool) -> None:
    """Show every setting as it is now; secrets are not shown."""
    for name, meant in misspelt_variables(os.environ).items():
        say(f"{name} means nothing: did you mean {meant}?")
    shown = list(described(settings_of(ctx.ensure_object(Wishes))))
    if wants_json(ctx):
        print_json({each.name: {"value": each.value, "origin": each.origin} for each in shown})
        return
    columns: dict[str, Callable[[Shown], object]] = {
        "setting": lambda each: each.name,
        "value": lambda each: each.value,
    }
    if origin:
        columns["origin"] = lambda each: each.origin
    print_table(ctx, shown, columns, none="there are no settings")
