"""``codetether task``."""

from __future__ import annotations

import click

from codetether_apps.cli.connection import connected
from codetether_apps.cli.lazy import Group
from codetether_apps.cli.printing import age, print_fields, print_json, print_table, say, wants_json
from codetether_apps.cli.task_run import run
from codetether_apps.cli.task_watch import watch
from codetether_apps.cli.wishes import shared
from codetether_core.tasks import TaskState

__all__ = ["task"]


@click.group(cls=Group)
def task() -> None:
    """Run, list, show, watch, cancel, retry, explain tasks."""


task.add_command(run)
task.add_command(watch)


@task.command("list")
@click.option(
    "--status",
    type=click.Choice([state.value for state in TaskState]),
    multiple=True,
    help="Only those; may be repeated.",
)
@click.option("-c", "--codebase", help="Only those of a codebase, by id or name.")
@click.option("--worker", help="Only those last held by a worker.")
@click.option("--by-priority", is_flag=True, help="In the order of the queue, not the newest first.")
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
@shared
@click.pass_context
def list_all(
    ctx: click.Context,
    status: tuple[str, ...],
    codebase: str | None,
    worker: str | None,
    by_priority: bool,
    limit: int,
) -> None:
    """List tasks."""
    with connected(ctx) as client:
        found = client.tasks.list(
            codebase=codebase,
            status=[TaskState(each) for each in status],
            worker=worker,
            newest_first=not by_priority,
            limit=limit,
        )
    print_table(
        ctx,
        found,
        {
            "id": lambda each: each.id,
            "status": lambda each: each.status.value,
            "age": lambda each: age(each.created_at),
            "agent": lambda each: each.agent_type,
            "worker": lambda each: each.worker_id,
            "title": lambda each: each.title,
        },
        none='no task yet: codetether task run "…"',
    )


@task.command()
@click.argument("id")
@shared
@click.pass_context
def show(ctx: click.Context, id: str) -> None:
    """Show one task, and its result or error."""
    with connected(ctx) as client:
        found = client.tasks.get(id)
    fields = {
        "id": found.id,
        "title": found.title,
        "status": found.status.value,
        "reason": found.reason,
        "codebase": found.codebase_id,
        "agent": found.agent_type,
        "model": found.model,
        "worker": found.worker_id,
        "attempt": f"{found.attempt or 0}, {found.attempts_charged} of {found.max_attempts} used up",
        "session": found.session_id,
        "awaits": found.awaiting,
        "retry of": found.retry_of,
        "created": found.created_at,
        "started": found.started_at,
        "ended": found.completed_at,
    }
    print_fields(ctx, found, fields, below=found.error or found.result or "")


@task.command()
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@shared
@click.pass_context
def cancel(ctx: click.Context, ids: tuple[str, ...]) -> None:
    """End tasks; what runs is stopped."""
    with connected(ctx) as client:
        ended = [client.tasks.cancel(id) for id in ids]
    if wants_json(ctx):
        print_json(ended)
    else:
        for each in ended:
            say(f"cancelled {each.id}")


@task.command()
@click.argument("id")
@shared
@click.pass_context
def retry(ctx: click.Context, id: str) -> None:
    """Make a new task like the ended one, and print its id."""
    with connected(ctx) as client:
        new = client.tasks.retry(id)
    if wants_json(ctx):
        print_json(new)
    else:
        print(new.id)


@task.command()
@click.argument("id")
@shared
@click.pass_context
def explain(ctx: click.Context, id: str) -> None:
    """Say why a task waits, and what keeps each worker from it."""
    with connected(ctx) as client:
        found = client.tasks.explain(id)
    if wants_json(ctx):
        print_json(found)
        return
    say(f"{found.task.id} is {found.task.status.value.replace('_', ' ')} and waits for {found.waiting_for}")
    print_table(
        ctx,
        found.workers,
        {
            "worker": lambda each: each.worker_id,
            "name": lambda each: each.name,
            "presence": lambda each: each.presence.value,
            "slots": lambda each: f"{each.busy} of {each.slots} busy",
            "kept from it by": lambda each: [slug.replace("_", " ") for slug in each.refusals],
        },
        none="no worker is there: codetether worker --codebase NAME:PATH",
    )
