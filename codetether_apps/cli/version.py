"""``codetether version``."""

from __future__ import annotations

import json
from importlib.metadata import version as installed

import click

from codetether_apps.cli.wishes import Wishes, shared

__all__ = ["version"]


@click.command()
@click.option("--remote", is_flag=True, help="Ask the server too.")
@shared
@click.pass_context
def version(ctx: click.Context, remote: bool) -> None:
    """Show the version of this program, and with --remote the server's."""
    versions = {"codetether": installed("codetether-hub")}
    if remote:
        from codetether_apps.cli.connection import connected

        with connected(ctx) as client:
            versions["server"] = str(client.version().get("version", "unknown"))
    if ctx.ensure_object(Wishes).json:
        print(json.dumps(versions))
    else:
        for name, text in versions.items():
            print(f"{name} {text}")
