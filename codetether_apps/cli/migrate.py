"""``codetether migrate``."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import click

from codetether_apps.cli.printing import print_json, wants_json
from codetether_apps.cli.wishes import shared

__all__ = ["migrate"]

_PENDING = 1


@click.command()
@click.option("--check", is_flag=True, help="Only look; the exit code is 1 if steps are pending.")
@click.option("--store", metavar="URL", help="The store, if not that of the settings (CODETETHER_STORE).")
@shared
@click.pass_context
def migrate(ctx: click.Context, check: bool, store: str | None) -> int:
    """Bring the store's schema up to date.

    Servers do it themselves when they start; this is for who wants to see it done, or not done, before that.
    """
    from codetether_apps.cli.own_store import own_store
    from codetether_apps.wiring.migrations import migrate as bring_up_to_date

    with own_store(store) as settings:
        steps = asyncio.run(bring_up_to_date(settings, check=check))
    applied: Sequence[int] = steps.applied if steps else ()
    pending: Sequence[int] = steps.pending if steps else ()
    if wants_json(ctx):
        print_json({"applied": list(applied), "pending": list(pending)})
    elif steps is None:
        click.echo("this store has no steps: it is brought up to date whenever it is opened")
    else:
        click.echo(f"applied: {_listed(applied)}\npending: {_listed(pending)}")
    return _PENDING if check and pending else 0


def _listed(steps: Sequence[int]) -> str:
    return ", ".join(f"{step:04}" for step in steps) or "none"
