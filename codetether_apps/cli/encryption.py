"""``codetether encryption``."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

import click

from codetether_apps.cli.connection import connected
from codetether_apps.cli.lazy import Group
from codetether_apps.cli.printing import print_json, print_table, say, wants_json
from codetether_apps.cli.wishes import shared

__all__ = ["encryption"]


@click.group(cls=Group)
def encryption() -> None:
    """Keys under which things are encrypted (for administrators)."""


@encryption.command("new-key")
@shared
def new_key() -> None:
    """Print a new key for CODETETHER_ENCRYPTION_KEYS.

    Put it before those that are there, restart every server, then `codetether encryption rotate`.
    """
    from codetether_apps.settings.encryption import KEY_BYTES, GivenKey

    name = f"k{datetime.now(UTC):%Y%m%d}-{secrets.token_hex(2)}"
    click.echo(str(GivenKey(name, secrets.token_bytes(KEY_BYTES))))


@encryption.command()
@shared
@click.pass_context
def show(ctx: click.Context) -> None:
    """Show which keys are in use."""
    with connected(ctx) as client:
        found = client.encryption.state()
    if wants_json(ctx):
        print_json(found)
        return
    say(f"encryption at rest is {'on' if found.at_rest else 'off'}")
    print_table(
        ctx,
        found.keys,
        {
            "key": lambda each: each.id,
            "data keys": lambda each: each.data_keys,
            "": lambda each: _standing(each.id == found.key, each.available),
        },
        none="no keys",
    )


@encryption.command()
@click.option("--data-key", is_flag=True, help="Encrypt under a new data key from now on, too.")
@click.option("--all-tenants", is_flag=True, help="Not only yours; for administrators of the tenant default.")
@shared
@click.pass_context
def rotate(ctx: click.Context, data_key: bool, all_tenants: bool) -> None:
    """Have every data key come under the first of the server's keys; those that nobody needs any longer may go then."""
    if data_key and all_tenants:
        raise click.UsageError("--data-key is each tenant's own affair, and goes without --all-tenants")
    with connected(ctx) as client:
        rotated, found = client.encryption.rotate(data_key=data_key, all_tenants=all_tenants), client.encryption.state()
    if wants_json(ctx):
        print_json(rotated)
        return
    whose = f" of {rotated.tenants:,} tenant{'' if rotated.tenants == 1 else 's'}" if all_tenants else ""
    click.echo(f"{_counted(rotated.rewrapped)}{whose} came under {found.key}")
    if rotated.added:
        click.echo(f"{rotated.added} encrypts from now on")
    for each in found.keys:
        if each.id != found.key and not each.data_keys:
            say(f"{each.id} is needed no longer{'' if all_tenants else ' by this tenant'}")


def _standing(present: bool, available: bool) -> str:
    if not available:
        return "missing: what is under it cannot be read"
    return "in use from now on" if present else ""


def _counted(number: int) -> str:
    return f"{number:,} data key{'' if number == 1 else 's'}"
