"""The options that every command has, before or after its name: which server, which token, how to print."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

__all__ = ["Wishes", "shared"]

F = TypeVar("F", bound=Callable[..., Any])


class Wishes:
    """What the shared options say; an option nearer to the command counts more."""

    server: str | None = None
    token_file: Path | None = None
    json: bool = False


def _note(ctx: click.Context, option: click.Parameter, value: Any) -> None:
    wishes = ctx.ensure_object(Wishes)
    if value not in (None, False) and option.name is not None:
        setattr(wishes, option.name, value)


def shared(function: F) -> F:
    """Give a command the shared options."""
    for decorate in (
        click.option(
            "--json", is_flag=True, expose_value=False, callback=_note, help="Print JSON (streams: a line each)."
        ),
        click.option(
            "--token-file",
            type=click.Path(path_type=Path, dir_okay=False),
            expose_value=False,
            callback=_note,
            help="File that holds the token.",
        ),
        click.option("--server", metavar="URL", expose_value=False, callback=_note, help="The server to talk to."),
    ):
        function = decorate(function)
    return function
