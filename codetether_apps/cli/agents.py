"""``codetether agent``."""

from __future__ import annotations

import click

from codetether_apps.cli.connection import connected
from codetether_apps.cli.lazy import Group
from codetether_apps.cli.printing import age, print_table
from codetether_apps.cli.wishes import shared

__all__ = ["agent"]


@click.group(cls=Group)
def agent() -> None:
    """Agents that can be written to."""


@agent.command("list")
@shared
@click.pass_context
def list_all(ctx: click.Context) -> None:
    """List the agents that are there."""
    with connected(ctx) as client:
        found = client.agents.list()
    print_table(
        ctx,
        found,
        {
            "name": lambda each: each.name,
            "seen": lambda each: age(each.last_seen),
            "url": lambda each: each.url,
            "description": lambda each: each.description,
        },
        none="no agent has registered",
    )
