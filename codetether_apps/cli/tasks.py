"""``codetether task``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import click

from codetether_apps.cli.asking import ask_whether, sure
from codetether_apps.cli.connection import connected
from codetether_apps.cli.lazy import Group
from codetether_apps.cli.printing import age, for_people, print_fields, print_json, print_table, say, wants_json
from codetether_apps.cli.task_artifacts import artifacts
from codetether_apps.cli.task_log import log
from codetether_apps.cli.task_run import run
from codetether_apps.cli.task_watch import watch
from codetether_apps.cli.wishes import shared
from codetether_apps.cli.worker_names import worker_names
from codetether_core.tasks import TaskState

if TYPE_CHECKING:
    from codetether_adapters.client import AttemptView, TaskView, WorkerFit

__all__ = ["task"]

_EVIDENCE: Final = 200


@click.group(cls=Group)
def task() -> None:
    """Run, list, show, watch, cancel, retry, explain, delete tasks, and get what they left."""


task.add_command(artifacts)
task.add_command(log)
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
        names = worker_names(ctx, client)
    print_table(
        ctx,
        found,
        {
            "id": lambda each: each.id,
            "status": lambda each: each.status.value,
            "age": lambda each: age(each.created_at),
            "agent": lambda each: each.agent_type,
            "worker": lambda each: names.get(each.worker_id, each.worker_id),
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
    fields: dict[str, object] = {
        "id": found.id,
        "title": found.title,
        "status": found.status.value,
        "reason": found.reason,
        "codebase": found.codebase_id,
        "agent": found.agent_type,
        "model": found.model,
        "worker": found.worker_id,
        "attempts": _attempts(found),
        "session": found.session_id,
        "awaits": found.awaiting,
        "retry of": found.retry_of,
        "created": found.created_at,
        "started": found.started_at,
        "ended": found.completed_at,
    }
    fields["artifacts"] = [f"{each.name} ({each.size:,} bytes)" for each in found.artifacts]
    fields |= {f"attempt {each.number}": _attempt(each) for each in found.attempts}
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
@click.argument("ids", metavar="ID...", nargs=-1, required=True)
@sure
@shared
@click.pass_context
def delete(ctx: click.Context, ids: tuple[str, ...], yes: bool) -> None:
    """Erase ended tasks with all that they left: output, files, approvals."""
    ask_whether(f"Erase {', '.join(ids)} for good?", yes)
    with connected(ctx) as client:
        for id in ids:
            client.tasks.delete(id)
    if wants_json(ctx):
        print_json({"erased": list(ids)})
    else:
        for id in ids:
            say(f"erased {id}")


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
    columns: dict[str, Callable[[WorkerFit], object]] = {
        "worker": lambda each: each.worker_id,
        "name": lambda each: each.name,
        "presence": lambda each: each.presence.value,
        "slots": lambda each: f"{each.busy} of {each.slots} busy",
        "kept from it by": lambda each: [slug.replace("_", " ") for slug in each.refusals],
    }
    if for_people(ctx):
        del columns["name"]
        columns["worker"] = lambda each: each.name or each.worker_id
    print_table(
        ctx,
        found.workers,
        columns,
        none="no worker is there: codetether worker --codebase NAME:PATH",
    )


def _attempts(task: TaskView) -> str:
    allowed = f"{task.attempts_charged} of {task.max_attempts} used up"
    return f"{task.attempt} begun, {allowed}" if task.attempt else f"none begun, {task.max_attempts} allowed"


def _attempt(attempt: AttemptView) -> str:
    """How it ended, on which worker, and the beginning of what that still said."""
    evidence = attempt.evidence or ""
    said = f"; too late it said: {evidence[:_EVIDENCE]}{'…' if len(evidence) > _EVIDENCE else ''}" if evidence else ""
    return f"{attempt.ending.replace('_', ' ')}, on {attempt.worker_id}{said}"
