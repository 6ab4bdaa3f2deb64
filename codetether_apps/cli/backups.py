"""``codetether backup``, ``restore`` and ``verify``."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from codetether_apps.cli.printing import print_json, say, wants_json
from codetether_apps.cli.wishes import shared

__all__ = ["backup", "restore", "verify"]

_FILE = click.argument("file", type=click.Path(path_type=Path))
_STORE = click.option("--store", metavar="URL", help="The store, if not that of the settings (CODETETHER_STORE).")


@click.command()
@_FILE
@_STORE
@click.option(
    "--online",
    is_flag=True,
    help="Ask the server (CODETETHER_SERVER) instead of the store: an embedded one is its own.",
)
@shared
@click.pass_context
def backup(ctx: click.Context, file: Path, store: str | None, online: bool) -> None:
    """Copy everything in the store, and the files that runs left, into FILE, which must not be there yet.

    The store may be in use meanwhile: each task is copied as it was at one moment. An embedded one belongs to one
    process; while a server has it, ask that one with --online and an administrator's token.
    """
    from codetether_apps.backups import backup as make
    from codetether_apps.cli.own_store import own_store
    from codetether_apps.settings import read_settings
    from codetether_apps.wiring.secret_sources import CLIENTS, with_secrets

    if online and store:
        raise click.UsageError("--online asks the server for what it has: --store has no say in that")
    if online:
        manifest = asyncio.run(make(with_secrets(read_settings(), CLIENTS), file, online=True))
    else:
        with own_store(store) as settings:
            manifest = asyncio.run(make(settings, file, online=False))
    _tell(ctx, f"{file} has", manifest.entries)
    _tell_keys(manifest.keys)


@click.command()
@_FILE
@_STORE
@shared
@click.pass_context
def restore(ctx: click.Context, file: Path, store: str | None) -> None:
    """Put the content of FILE into an empty store.

    Every lease that was in force is over there, so that what ran is run again and old holders are refused; clients
    that watched the old store are told to read anew.
    """
    from codetether_apps.backups import restore as put
    from codetether_apps.cli.own_store import own_store

    with own_store(store) as settings:
        counts = asyncio.run(put(settings, file))
    _tell(ctx, "restored", counts)


@click.command()
@_FILE
@shared
@click.pass_context
def verify(ctx: click.Context, file: Path) -> None:
    """Read FILE as a whole, and say whether it is a backup without damage."""
    from codetether_apps.backups import verified

    header, manifest = verified(file)
    _tell(ctx, f"{file}, made {header.made_at:%Y-%m-%d %H:%M} UTC by {header.release}, has", manifest.entries)
    _tell_keys(manifest.keys)


def _tell_keys(keys: Sequence[str]) -> None:
    if keys:
        say(f"to read what is encrypted in it takes {' and '.join(keys)}: keep what is in your settings elsewhere, too")


def _tell(ctx: click.Context, what: str, counts: Mapping[str, int]) -> None:
    if wants_json(ctx):
        print_json(dict(counts))
        return
    words = ", ".join(f"{count:,} {kind}{'' if count == 1 else 's'}" for kind, count in counts.items())
    click.echo(f"{what} {words or 'nothing'}")
