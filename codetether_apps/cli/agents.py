"""``codetether agent``."""

from __future__ import annotations

import json
from typing import IO

import click

from codetether_apps.cli.connection import connected
from codetether_apps.cli.lazy import Group
from codetether_apps.cli.printing import age, print_json, print_table, wants_json
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


@agent.command("add")
@click.argument("name")
@click.option("--card", required=True, metavar="URL", help="Where its A2A card is, or its site.")
@click.option("--secret", metavar="NAME", help="The secret by which it knows us (codetether secret set).")
@click.option("--keys", type=click.File("rb"), help="A JWK set: its card has to be signed by one of these keys.")
@shared
@click.pass_context
def add(ctx: click.Context, name: str, card: str, secret: str | None, keys: IO[bytes] | None) -> None:
    """Make an agent elsewhere known: tasks that name it are given to it."""
    try:
        known = None if keys is None else json.load(keys)
    except ValueError as error:
        raise click.BadParameter(f"is no JSON: {error}", ctx, param_hint="--keys") from None
    with connected(ctx) as client:
        added = client.agents.enlist(name, card, secret=secret, card_keys=known)
    if wants_json(ctx):
        print_json(added)
        return
    vouched = ", as its signed card says" if added.peer and added.peer.signed else ""
    click.echo(f"{added.name} is at {added.url}{vouched}")


@agent.command("remove")
@click.argument("name")
@shared
@click.pass_context
def remove(ctx: click.Context, name: str) -> None:
    """Forget an agent."""
    with connected(ctx) as client:
        client.agents.remove(name)
    if not wants_json(ctx):
        click.echo(f"{name} is forgotten")
