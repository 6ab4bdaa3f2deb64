"""``up``, ``server``, ``mcp``, ``worker``: long-lived processes, which read their own flags."""

from __future__ import annotations

from functools import partial
from importlib import import_module

import click

from codetether_apps.cli.wishes import Wishes

__all__ = ["mcp", "server", "up", "worker"]

_PASSED_ON = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}


def _run(ctx: click.Context, module: str) -> int:
    """Its own exit code; what follows the command's name, help included, is for the entrypoint."""
    main = import_module(f"codetether_apps.{module}").main
    return int(main(ctx.args) or 0)


@click.command(context_settings=_PASSED_ON)
@click.pass_context
def up(ctx: click.Context) -> int:
    """Run server and worker in one process."""
    return _run(ctx, "standalone")


@click.command(context_settings=_PASSED_ON)
@click.pass_context
def server(ctx: click.Context) -> int:
    """Run the server."""
    return _run(ctx, "server")


@click.command(context_settings=_PASSED_ON)
@click.pass_context
def mcp(ctx: click.Context) -> int:
    """Pass MCP on to the server."""
    from codetether_apps.cli.connection import token_of
    from codetether_apps.mcp import main

    wishes = ctx.ensure_object(Wishes)
    if wishes.server:
        ctx.args[:0] = ["--server", wishes.server]
    return main(ctx.args, partial(token_of, wishes))


@click.command(context_settings=_PASSED_ON)
@click.pass_context
def worker(ctx: click.Context) -> int:
    """Run a worker."""
    wished = ctx.ensure_object(Wishes).server
    if wished:
        ctx.args[:0] = ["--server", wished]
    return _run(ctx, "worker")
