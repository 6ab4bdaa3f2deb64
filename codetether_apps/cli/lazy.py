"""Groups whose commands are imported when called, and that suggest the nearest for a mistyped one."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from typing import Any, cast

import click

__all__ = ["Group", "LazyGroup"]


class Group(click.Group):
    """A group that knows what was probably meant."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = get_close_matches(args[0], self.list_commands(ctx), n=1, cutoff=0.5) if args else []
            if not near:
                raise
            raise click.UsageError(f"No such command {args[0]!r}. Did you mean {near[0]!r}?", ctx) from error


class LazyGroup(Group):
    """A group whose commands are at ``module:name`` below ``package``; only their names and helps are known before."""

    def __init__(self, *args: Any, package: str, commands_at: Mapping[str, tuple[str, str]], **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._package = package
        self._at = commands_at

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names, in the order of the table."""
        return list(self._at)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """One of them, imported."""
        if cmd_name not in self._at:
            return None
        module, _, name = self._at[cmd_name][0].partition(":")
        return cast("click.Command", getattr(import_module(f"{self._package}.{module}"), name))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list in ``--help``, made without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, help) for name, (_, help) in self._at.items()])
