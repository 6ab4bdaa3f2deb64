"""``codetether webhook``."""

from __future__ import annotations

import click

from codetether_apps.cli.connection import connected
from codetether_apps.cli.lazy import Group
from codetether_apps.cli.printing import age, print_json, print_table, wants_json
from codetether_apps.cli.wishes import shared

__all__ = ["webhook"]


@click.group(cls=Group)
def webhook() -> None:
    """Webhooks of tasks that nobody answered for too long, and that were given up."""


@webhook.command("list")
@click.option("--limit", type=click.IntRange(1, 500), default=100, show_default=True)
@shared
@click.pass_context
def list_all(ctx: click.Context, limit: int) -> None:
    """List webhooks that were given up."""
    with connected(ctx) as client:
        found = client.webhooks.given_up(limit=limit)
    print_table(
        ctx,
        found,
        {
            "id": lambda each: each.id,
            "task": lambda each: each.task_id,
            "name": lambda each: each.name,
            "owner": lambda each: each.owner,
            "failing": lambda each: age(each.failing_since),
            "attempts": lambda each: str(each.attempts),
            "error": lambda each: each.error or "",
        },
        none="no webhook was given up",
    )


@webhook.command()
@click.argument("ids", nargs=-1, required=True)
@shared
@click.pass_context
def retry(ctx: click.Context, ids: tuple[str, ...]) -> None:
    """Deliver what is left to webhooks that were given up."""
    with connected(ctx) as client:
        for id in ids:
            found = client.webhooks.retry(id)
            if wants_json(ctx):
                print_json(found)
            else:
                click.echo(f"{found.id} is told again of {found.task_id}, from event {found.sequence + 1} on")
