"""``codetether token``."""

from __future__ import annotations

import click

from codetether_adapters.client import TokenView
from codetether_apps.cli.connection import connected
from codetether_apps.cli.durations import seconds_of
from codetether_apps.cli.lazy import Group
from codetether_apps.cli.printing import age, print_json, print_table, wants_json
from codetether_apps.cli.wishes import shared

__all__ = ["token"]


@click.group(cls=Group)
def token() -> None:
    """Tokens that the server issues: API keys, and those of workers."""


@token.command()
@click.argument("name")
@click.option("--role", "roles", multiple=True, help="Only this of your roles; may be repeated.")
@click.option("--scope", "scopes", multiple=True, help="Only this permission, or resource:*; may be repeated.")
@click.option("--worker", metavar="ID", help="For the worker of that id and nobody else (as an administrator).")
@click.option("--expires", metavar="DURATION", help="For how long it is good, such as 12h or 90d; for ever without.")
@shared
@click.pass_context
def create(
    ctx: click.Context,
    name: str,
    roles: tuple[str, ...],
    scopes: tuple[str, ...],
    worker: str | None,
    expires: str | None,
) -> None:
    """Issue a token called NAME and print it, this once."""
    if worker and (roles or scopes):
        raise click.UsageError("--worker says what the token may do: --role and --scope have no say in that")
    expires_in = seconds_of("--expires", expires)
    with connected(ctx) as client:
        if worker:
            issued = client.tokens.create_for_worker(worker, name=name, expires_in=expires_in)
        else:
            issued = client.tokens.create(name, roles=roles or None, scopes=scopes or None, expires_in=expires_in)
    if wants_json(ctx):
        print_json(issued)
        return
    print(issued.token)
    click.echo(f"{issued.id}: keep it, it is not told again", err=True)


@token.command("list")
@click.option("--all", "everything", is_flag=True, help="Revoked ones too.")
@click.option("--sign-ins", is_flag=True, help="Sign-ins too.")
@shared
@click.pass_context
def list_all(ctx: click.Context, everything: bool, sign_ins: bool) -> None:
    """List your tokens, an administrator everybody's, without their secrets."""
    with connected(ctx) as client:
        found = [each for each in client.tokens.list(sign_ins=sign_ins) if everything or each.status == "active"]
    print_table(
        ctx,
        found,
        {
            "id": lambda each: each.id,
            "name": lambda each: each.name,
            "owner": lambda each: each.owner,
            "may": _may,
            "created": lambda each: age(each.created_at),
            "expires": lambda each: f"{each.expires_at:%Y-%m-%d %H:%M}" if each.expires_at else "never",
            "status": lambda each: each.status,
        },
        none="no tokens",
    )


@token.command()
@click.argument("id", required=False)
@click.option("--owner", metavar="NAME", help="All that stand for this principal, sign-ins too.")
@shared
@click.pass_context
def revoke(ctx: click.Context, id: str | None, owner: str | None) -> None:
    """Take a token back: it opens nothing any more, and streams that it opened end."""
    if (id is None) is (owner is None):
        raise click.UsageError("Say which: ID, or all of --owner NAME")
    with connected(ctx) as client:
        revoked = [client.tokens.revoke(id)] if id else client.tokens.revoke_all(owner or "")
    if wants_json(ctx):
        print_json(revoked[0] if id else revoked)
    else:
        click.echo(f"revoked {', '.join(each.name or each.id for each in revoked) or 'nothing'}")


def _may(token: TokenView) -> str:
    return ", ".join(token.roles if token.scopes is None else token.scopes)
