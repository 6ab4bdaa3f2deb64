"""``codetether session``."""

from __future__ import annotations

import click

from codetether_apps.cli.asking import ask_whether, sure
from codetether_apps.cli.connection import connected
from codetether_apps.cli.harmless import harmless
from codetether_apps.cli.lazy import Group
from codetether_apps.cli.printing import age, print_json, print_table, say, wants_json
from codetether_apps.cli.wishes import shared

__all__ = ["session"]


@click.group(cls=Group)
def session() -> None:
    """Conversations with agents."""


@session.command("list")
@click.argument("codebase")
@click.option("--search", help="Only those whose title has this.")
@click.option("--limit", type=click.IntRange(1, 200), default=50, show_default=True)
@shared
@click.pass_context
def list_all(ctx: click.Context, codebase: str, search: str | None, limit: int) -> None:
    """List the conversations about CODEBASE, the last active first."""
    with connected(ctx) as client:
        found = client.sessions.list(codebase, search=search, limit=limit)
    print_table(
        ctx,
        found,
        {
            "id": lambda each: each.id,
            "updated": lambda each: age(each.updated_at),
            "worker": lambda each: each.worker_id,
            "title": lambda each: each.title,
        },
        none="no conversation yet",
    )


@session.command()
@click.argument("codebase")
@click.argument("id")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="The last so many turns.")
@shared
@click.pass_context
def show(ctx: click.Context, codebase: str, id: str, limit: int) -> None:
    """Show what was said in conversation ID about CODEBASE."""
    with connected(ctx) as client:
        found = client.sessions.get(codebase, id)
        messages = client.sessions.messages(codebase, id, limit=limit)
    if wants_json(ctx):
        print_json({"session": found, "messages": list(messages)})
        return
    print(harmless(found.title or found.id))
    for message in messages:
        print(f"\n{harmless(message.role)}:\n{harmless(message.text)}")


@session.command()
@click.argument("codebase")
@click.argument("id")
@sure
@shared
@click.pass_context
def delete(ctx: click.Context, codebase: str, id: str, yes: bool) -> None:
    """Erase conversation ID about CODEBASE, with every task that ran in it and all that they left."""
    ask_whether(f"Erase {id} and its tasks for good?", yes)
    with connected(ctx) as client:
        tasks = client.sessions.delete(codebase, id)
    if wants_json(ctx):
        print_json({"erased": id, "tasks": tasks})
    else:
        say(f"erased {id} and {tasks} of its tasks")
