"""``codetether task artifacts``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from codetether_apps.cli.connection import connected
from codetether_apps.cli.printing import age, print_json, print_table, say, wants_json
from codetether_apps.cli.wishes import shared

if TYPE_CHECKING:
    from codetether_adapters.client import ArtifactView, Sync, TaskHandle

__all__ = ["artifacts"]


@click.command()
@click.argument("id")
@click.option(
    "--save", metavar="DIR", type=click.Path(path_type=Path, file_okay=False), help="Write them below a directory."
)
@shared
@click.pass_context
def artifacts(ctx: click.Context, id: str, save: Path | None) -> None:
    """List the files that a task's runs left, or save them."""
    with connected(ctx) as client:
        task = client.tasks.handle(id)
        found = task.artifacts()
        for each in found if save else ():
            _save(task, each, save or Path())
    if save is None:
        print_table(
            ctx,
            found,
            {
                "name": lambda each: each.name,
                "size": lambda each: f"{each.size:,}",
                "type": lambda each: each.media_type,
                "age": lambda each: age(each.created_at),
            },
            none="its runs left no file; an agent leaves those that it puts into $CODETETHER_ARTIFACTS",
        )
    elif wants_json(ctx):
        print_json([str(save / each.name) for each in found])
    else:
        for each in found:
            say(f"saved {save / each.name}")


def _save(task: TaskHandle[Sync], artifact: ArtifactView, directory: Path) -> None:
    """Write the file beside its place, and move it there once it is whole."""
    target = directory / artifact.name
    if not target.parent.resolve().is_relative_to(directory.resolve()):
        raise click.ClickException(f"{target.parent} leads out of {directory}: save into another directory")
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{target.name}.unfinished")
    with unfinished.open("wb") as file:
        for chunk in task.read_artifact(artifact.name):
            file.write(chunk)
    unfinished.replace(target)
