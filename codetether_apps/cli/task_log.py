"""``codetether task log``."""

from __future__ import annotations

import click

from codetether_apps.cli.connection import connected
from codetether_apps.cli.harmless import Harmless
from codetether_apps.cli.printing import print_json, wants_json
from codetether_apps.cli.wishes import shared

__all__ = ["log"]


@click.command()
@click.argument("id")
@shared
@click.pass_context
def log(ctx: click.Context, id: str) -> None:
    """Print all that a task's runs have said so far, however long ago; with --json every event, one a line."""
    cleaned = Harmless()
    with connected(ctx) as client:
        for event in client.tasks.handle(id).log():
            if wants_json(ctx):
                print_json(event)
            else:
                print(cleaned.feed(str(event["data"].get("output", ""))), end="")
    print(cleaned.rest(), end="")
