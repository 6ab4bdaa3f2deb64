"""``codetether message``."""

from __future__ import annotations

import click

from codetether_apps.cli.connection import connected
from codetether_apps.cli.lazy import Group
from codetether_apps.cli.printing import age, print_json, print_table, wants_json
from codetether_apps.cli.wishes import shared

__all__ = ["message"]


@click.group(cls=Group)
def message() -> None:
    """Messages between agents."""


@message.command()
@click.argument("to")
@click.argument("body")
@click.option("--from", "sender", help="Who writes; you, if left out.")
@click.option("--conversation", help="The conversation it belongs to.")
@shared
@click.pass_context
def send(ctx: click.Context, to: str, body: str, sender: str | None, conversation: str | None) -> None:
    """Send BODY to the agent, role or worker called TO."""
    with connected(ctx) as client:
        sent = client.messages.send(to, body, sender=sender, conversation=conversation)
    if wants_json(ctx):
        print_json(sent)
    else:
        print(sent.id)


@message.command("list")
@click.option("--agent", help="Those that wait for an agent.")
@click.option("--conversation", help="Those of a conversation.")
@click.option("--limit", type=click.IntRange(1, 500), default=100, show_default=True)
@shared
@click.pass_context
def list_all(ctx: click.Context, agent: str | None, conversation: str | None, limit: int) -> None:
    """List the latest messages, oldest first."""
    with connected(ctx) as client:
        found = client.messages.list(agent=agent, conversation=conversation, limit=limit)
    print_table(
        ctx,
        found,
        {
            "id": lambda each: each.id,
            "sent": lambda each: age(each.sent_at),
            "from": lambda each: each.sender,
            "to": lambda each: each.recipient,
            "status": lambda each: each.status,
            "body": lambda each: each.body,
        },
        none="no messages",
    )
