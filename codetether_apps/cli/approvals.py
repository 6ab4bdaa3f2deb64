"""``codetether approval``."""

from __future__ import annotations

import click

from codetether_apps.cli.connection import connected
from codetether_apps.cli.lazy import Group
from codetether_apps.cli.printing import age, print_json, print_table, say, wants_json
from codetether_apps.cli.wishes import shared
from codetether_core.approvals import ApprovalState

__all__ = ["approval"]


@click.group(cls=Group)
def approval() -> None:
    """What agents ask."""


@approval.command("list")
@click.option(
    "--status", type=click.Choice([*(state.value for state in ApprovalState), "all"]), default="open", show_default=True
)
@click.option("--task", help="Only those of one task.")
@click.option("--limit", type=click.IntRange(1, 500), default=100, show_default=True)
@shared
@click.pass_context
def list_all(ctx: click.Context, status: str, task: str | None, limit: int) -> None:
    """List approvals, newest first."""
    state = None if status == "all" else ApprovalState(status)
    with connected(ctx) as client:
        found = client.approvals.list(status=state, task=task, limit=limit)
    print_table(
        ctx,
        found,
        {
            "id": lambda each: each.id,
            "status": lambda each: each.status.value,
            "asked": lambda each: age(each.created_at),
            "choices": lambda each: tuple(option.id for option in each.options) or "(text)",
            "prompt": lambda each: each.prompt,
            "task": lambda each: each.task_id,
        },
        none="nobody asks anything",
    )


@approval.command()
@click.argument("id")
@click.argument("choice", required=False)
@click.option("--text", help="The answer in words, where no choices are offered.")
@shared
@click.pass_context
def answer(ctx: click.Context, id: str, choice: str | None, text: str | None) -> None:
    """Answer approval ID with one of its choices, or with --text."""
    if choice is None and text is None:
        raise click.UsageError("Say which choice, or --text.", ctx)
    with connected(ctx) as client:
        answered = client.approvals.answer(id, choice=choice, text=text)
    if wants_json(ctx):
        print_json(answered)
    else:
        say(f"answered: {answered.choice or answered.text}")
