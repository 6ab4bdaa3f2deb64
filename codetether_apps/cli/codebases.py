"""``codetether codebase``."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from codetether_apps.cli.connection import connected
from codetether_apps.cli.lazy import Group
from codetether_apps.cli.printing import print_fields, print_json, print_table, say, wants_json
from codetether_apps.cli.wishes import shared
from codetether_apps.cli.worker_names import worker_names

__all__ = ["codebase"]


@click.group(cls=Group)
def codebase() -> None:
    """Directories that tasks are about."""


@codebase.command()
@click.argument("name")
@click.argument("directory", type=click.Path(path_type=Path), default=".")
@click.option("--description", default="", help="What it is.")
@shared
@click.pass_context
def add(ctx: click.Context, name: str, directory: Path, description: str) -> None:
    """Register DIRECTORY as NAME; a worker that serves it does so itself."""
    with connected(ctx) as client:
        added = client.codebases.add(name, str(directory.absolute()), description=description)
    if wants_json(ctx):
        print_json(added)
        return
    print(added.id)
    if not added.available:
        worker = shlex.join(["codetether", "worker", "--codebase", f"{added.name}:{added.path}"])
        say(f"no worker serves it: its tasks wait until one does\n  → {worker}")


@codebase.command("list")
@shared
@click.pass_context
def list_all(ctx: click.Context) -> None:
    """List codebases."""
    with connected(ctx) as client:
        found, names = client.codebases.list(), worker_names(ctx, client)
    print_table(
        ctx,
        found,
        {
            "id": lambda each: each.id,
            "name": lambda each: each.name,
            "status": lambda each: each.status,
            "workers": lambda each: tuple(names.get(worker, worker) for worker in each.workers),
            "path": lambda each: each.path,
        },
        none="no codebase yet: codetether codebase add NAME DIRECTORY",
    )


@codebase.command()
@click.argument("codebase")
@shared
@click.pass_context
def show(ctx: click.Context, codebase: str) -> None:
    """Show one codebase, by id or name."""
    with connected(ctx) as client:
        found = client.codebases.get(codebase)
    fields = {
        "id": found.id,
        "name": found.name,
        "path": found.path,
        "description": found.description,
        "status": found.status,
        "workers": found.workers,
        "registered": found.registered_at,
    }
    print_fields(ctx, found, fields)


@codebase.command()
@click.argument("codebase")
@shared
@click.pass_context
def remove(ctx: click.Context, codebase: str) -> None:
    """Forget a codebase; its directory stays as it is."""
    with connected(ctx) as client:
        client.codebases.remove(codebase)
    if wants_json(ctx):
        print_json({"removed": codebase})
    else:
        say(f"removed {codebase}")
