"""``codetether login``, ``logout`` and ``whoami``."""

from __future__ import annotations

import socket
from contextlib import suppress

import click

from codetether_apps.cli.connection import connected, settings_of, token_of
from codetether_apps.cli.identity_provider import provider_token
from codetether_apps.cli.passwords import asked_password
from codetether_apps.cli.printing import print_json, wants_json
from codetether_apps.cli.signed_in import kept_form, present_token
from codetether_apps.cli.wishes import Wishes, shared
from codetether_core.errors import Unauthenticated

__all__ = ["login", "logout", "whoami"]


@click.command()
@click.argument("name", required=False)
@click.option("--password-stdin", is_flag=True, help="Read the password from stdin instead of asking for it.")
@click.option("--browser", is_flag=True, help="At the identity provider, with the browser of this machine.")
@shared
@click.pass_context
def login(ctx: click.Context, name: str | None, password_stdin: bool, browser: bool) -> None:
    """Sign in as NAME, who has a password here, or without NAME at the identity provider.

    Commands on this machine act for you until you log out. CODETETHER_TOKEN goes before that.
    """
    from codetether_adapters.client import Client
    from codetether_apps.settings import client_tls, sign_ins

    if name is not None and browser:
        raise click.UsageError("--browser is for the identity provider, who asks for the name itself")
    settings = settings_of(ctx.ensure_object(Wishes))
    device = socket.gethostname()
    if name is None:
        with Client(settings.client.server, tls=client_tls(settings)) as client:
            token = provider_token(client.identity.ways(), browser=browser)
        with Client(settings.client.server, token=token, tls=client_tls(settings)) as client:
            signed_in = client.identity.exchange(device=device)
    else:
        password = asked_password(from_stdin=password_stdin)
        with Client(settings.client.server, tls=client_tls(settings)) as client:
            signed_in = client.identity.sign_in(name, password, device=device)
    with sign_ins(settings) as kept:
        kept.keep(kept_form(settings, signed_in))
    if wants_json(ctx):
        print_json({"server": settings.client.server, "username": signed_in.session.username})
    else:
        click.echo(f"signed in to {settings.client.server} as {signed_in.session.username}")


@click.command()
@shared
@click.pass_context
def logout(ctx: click.Context) -> None:
    """End the sign-in on this machine."""
    from codetether_adapters.client import Client
    from codetether_apps.settings import client_tls, sign_ins

    settings = settings_of(ctx.ensure_object(Wishes))
    with sign_ins(settings) as kept:
        sign_in = kept.at(settings.client.server)
    if sign_in is None:
        raise click.UsageError(f"nobody is signed in to {settings.client.server}")
    try:
        with (
            suppress(Unauthenticated),
            Client(settings.client.server, token=present_token(settings), tls=client_tls(settings)) as client,
        ):
            client.identity.sign_out()  # over already is as good
    finally:
        with sign_ins(settings) as kept:
            kept.forget(settings.client.server)
    click.echo(f"signed out of {settings.client.server}")
    if token_of(ctx.ensure_object(Wishes), settings):
        click.echo("another token is used from now on: codetether whoami", err=True)


@click.command()
@shared
@click.pass_context
def whoami(ctx: click.Context) -> None:
    """Show as whom the server knows you, and what that allows."""
    with connected(ctx) as client:
        told = client.identity.show()
    if wants_json(ctx):
        print_json(told)
        return
    scopes = "" if told["scopes"] is None else f", narrowed to {', '.join(told['scopes']) or 'nothing'}"
    click.echo(f"{told['username']} ({', '.join(told['roles'])}{scopes}) in the tenant {told['tenant_id']}")
