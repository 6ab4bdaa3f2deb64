"""``codetether account``."""

from __future__ import annotations

import click

from codetether_apps.cli.connection import connected
from codetether_apps.cli.lazy import Group
from codetether_apps.cli.passwords import asked_password
from codetether_apps.cli.printing import age, print_json, print_table, wants_json
from codetether_apps.cli.wishes import shared
from codetether_core.access import ROLES

__all__ = ["account"]

_ROLE = click.option("--role", "roles", multiple=True, type=click.Choice(sorted(ROLES)), help="May be repeated.")
_STDIN = click.option("--password-stdin", is_flag=True, help="Read the password from stdin instead of asking for it.")


@click.group(cls=Group)
def account() -> None:
    """Accounts of people who sign in with a password (for administrators)."""


@account.command()
@click.argument("name")
@_ROLE
@_STDIN
@shared
@click.pass_context
def add(ctx: click.Context, name: str, roles: tuple[str, ...], password_stdin: bool) -> None:
    """Let NAME sign in; as an editor, if no role is given."""
    password = asked_password(from_stdin=password_stdin, new=True)
    with connected(ctx) as client:
        added = client.accounts.create(name, password, roles or ("editor",))
    if wants_json(ctx):
        print_json(added)
    else:
        click.echo(f"{added.name} may sign in as {', '.join(added.roles)}: codetether login {added.name}")


@account.command("list")
@shared
@click.pass_context
def list_all(ctx: click.Context) -> None:
    """List them."""
    with connected(ctx) as client:
        found = client.accounts.list()
    print_table(
        ctx,
        found,
        {
            "name": lambda each: each.name,
            "roles": lambda each: ", ".join(each.roles),
            "status": lambda each: each.status,
            "created": lambda each: age(each.created_at),
        },
        none="no accounts",
    )


@account.command()
@click.argument("name")
@_ROLE
@click.option("--password", "new_password", is_flag=True, help="Another password, which is asked for.")
@_STDIN
@click.option("--enable/--disable", "enabled", default=None, help="Let NAME sign in again, or no longer.")
@shared
@click.pass_context
def change(
    ctx: click.Context,
    name: str,
    roles: tuple[str, ...],
    new_password: bool,
    password_stdin: bool,
    enabled: bool | None,
) -> None:
    """Give NAME other roles or another password, or no more way in. Sign-ins that this concerns end."""
    password = asked_password(from_stdin=password_stdin, new=True) if new_password or password_stdin else None
    if not roles and password is None and enabled is None:
        raise click.UsageError("say what is to be otherwise: --role, --password, --enable or --disable")
    with connected(ctx) as client:
        changed = client.accounts.change(name, password=password, roles=roles or None, enabled=enabled)
    if wants_json(ctx):
        print_json(changed)
    else:
        click.echo(f"{changed.name} is {changed.status}, as {', '.join(changed.roles)}")


@account.command()
@click.argument("name")
@shared
@click.pass_context
def remove(ctx: click.Context, name: str) -> None:
    """Forget NAME: everything that was opened under it ends."""
    with connected(ctx) as client:
        client.accounts.remove(name)
    click.echo(f"removed {name}")
