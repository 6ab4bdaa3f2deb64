"""``codetether secret``."""

from __future__ import annotations

import sys

import click

from codetether_apps.cli.connection import connected
from codetether_apps.cli.lazy import Group
from codetether_apps.cli.printing import age, print_json, print_table, wants_json
from codetether_apps.cli.wishes import shared

__all__ = ["secret"]


@click.group(cls=Group)
def secret() -> None:
    """Secrets that are kept out of everything that runs write, and handed to those that need them."""


@secret.command("set")
@click.argument("name")
@click.option("--variable", metavar="NAME", help="The environment variable in which runs are handed it.")
@click.option("--agent", "agents", multiple=True, help="Only to runs of this kind of agent; may be repeated.")
@shared
@click.pass_context
def set_value(ctx: click.Context, name: str, variable: str | None, agents: tuple[str, ...]) -> None:
    """Register a secret called NAME, or another value for it. It is asked for, or read from stdin."""
    value = _value()
    with connected(ctx) as client:
        kept = client.secrets.put(name, value, variable=variable, agents=agents)
    if wants_json(ctx):
        print_json(kept)
        return
    handed = f", and handed to {_runs(kept.agents)} as {kept.variable}" if kept.variable else ""
    click.echo(f"{kept.name} is kept out of whatever is written from now on{handed}")


@secret.command("list")
@shared
@click.pass_context
def list_all(ctx: click.Context) -> None:
    """List secrets, without their values."""
    with connected(ctx) as client:
        found = client.secrets.list()
    print_table(
        ctx,
        found,
        {
            "name": lambda each: each.name,
            "variable": lambda each: each.variable or "",
            "handed to": lambda each: _runs(each.agents) if each.variable else "nobody",
            "by": lambda each: each.created_by,
            "changed": lambda each: age(each.changed_at),
        },
        none="no secrets",
    )


@secret.command()
@click.argument("name")
@shared
@click.pass_context
def remove(ctx: click.Context, name: str) -> None:
    """Forget a secret: it is handed to nobody any more, and not looked for."""
    with connected(ctx) as client:
        gone = client.secrets.delete(name)
    if wants_json(ctx):
        print_json(gone)
    else:
        click.echo(f"{gone.name} is forgotten")


def _value() -> str:
    """Never from the command line, which everybody on the machine can read; a file's last newline is not part of it."""
    if sys.stdin.isatty():
        value: str = click.prompt("Value", hide_input=True, confirmation_prompt=True, err=True)
        return value
    return sys.stdin.read().strip()


def _runs(agents: tuple[str, ...]) -> str:
    return f"runs of {', '.join(agents)}" if agents else "every run"
