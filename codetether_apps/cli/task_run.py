"""``codetether task run``."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import click

from codetether_apps.cli.connection import connected
from codetether_apps.cli.following import Following, followed
from codetether_apps.cli.printing import print_json, say, wants_json
from codetether_apps.cli.task_watch import following_options
from codetether_apps.cli.wishes import shared

__all__ = ["run"]


@click.command()
@click.argument("prompt", required=False)
@click.option(
    "-f", "--file", type=click.Path(path_type=Path, allow_dash=True), help="Read the prompt here; - is stdin."
)
@click.option("-c", "--codebase", default="global", help="What it is about: a codebase's id or name.")
@click.option("-a", "--agent", default="build", show_default=True, help="Which type of agent does it.")
@click.option("-m", "--model", help="Which model the agent uses, provider/model.")
@click.option("--title", help="What it is called; the prompt's beginning, if left out.")
@click.option("--priority", type=int, default=0, show_default=True, help="Higher goes first.")
@click.option("--worker", "target_worker", help="Only this worker may take it.")
@click.option("--worker-name", "target_agent", help="Only workers of this name may take it.")
@click.option("--capability", "capabilities", multiple=True, help="What its worker must have; may be repeated.")
@click.option("--max-attempts", type=click.IntRange(1, 100), help="How often it may be tried.")
@click.option("--run-timeout", type=click.IntRange(1), metavar="SECONDS", help="Longest time of one run.")
@click.option("--key", help="Idempotency key: the same key makes the same task, however often it is sent.")
@click.option("-d", "--detach", is_flag=True, help="Print the task's id and do not follow it.")
@following_options
@shared
@click.pass_context
def run(
    ctx: click.Context,
    prompt: str | None,
    file: Path | None,
    codebase: str,
    agent: str,
    model: str | None,
    title: str | None,
    priority: int,
    target_worker: str | None,
    target_agent: str | None,
    capabilities: tuple[str, ...],
    max_attempts: int | None,
    run_timeout: int | None,
    key: str | None,
    detach: bool,
    following: Following,
) -> int:
    """Submit a task and follow it to its end.

    What the agent prints goes to stdout. Ctrl-C leaves the task running and says how to come back to it.
    """
    from codetether_adapters.client import NewTask, fresh_key

    new = NewTask(
        _prompt(ctx, prompt, file),
        codebase=codebase,
        agent=agent,
        model=model,
        title=title,
        priority=priority,
        target_worker=target_worker,
        target_agent=target_agent,
        capabilities=capabilities,
        max_attempts=max_attempts,
        timeout=None if run_timeout is None else timedelta(seconds=run_timeout),
        idempotency_key=key or fresh_key(),
    )
    with connected(ctx) as client:
        task = client.tasks.submit(new)
        if not detach:
            say(f"task {task.id}")
            return followed(ctx, client, task.id, following)
    if wants_json(ctx):
        print_json(task)
    else:
        print(task.id)
    return 0


def _prompt(ctx: click.Context, prompt: str | None, file: Path | None) -> str:
    if (prompt is None) == (file is None):
        raise click.UsageError("Give the prompt as an argument, or its file with -f (- is stdin).", ctx)
    if prompt is not None:
        return prompt
    try:
        text = sys.stdin.read() if str(file) == "-" else Path(str(file)).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"The prompt cannot be read: {error}", ctx) from None
    if not text.strip():
        raise click.UsageError("The prompt is empty.", ctx)
    return text
