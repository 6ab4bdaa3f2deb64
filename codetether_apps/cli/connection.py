"""From flags, environment and files to a client; what that takes is imported when a command runs, not for its help."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from codetether_apps.cli.wishes import Wishes

if TYPE_CHECKING:
    from codetether_adapters.client import Client
    from codetether_apps.settings import Settings

__all__ = ["connected", "settings_of", "token_of"]


@contextmanager
def connected(ctx: click.Context) -> Iterator[Client]:
    """A client of the server that is wished for."""
    from codetether_adapters.client import Client, Patience
    from codetether_apps.settings import client_tls

    wishes = ctx.ensure_object(Wishes)
    settings = settings_of(wishes)
    patience = Patience(attempts=3, total=10.0)  # somebody sits there and waits
    token, tls = token_of(wishes, settings), client_tls(settings)
    with Client(settings.client.server, token=token, patience=patience, tls=tls) as client:
        yield client


def settings_of(wishes: Wishes) -> Settings:
    """The settings, with the flags that were given."""
    from codetether_apps.settings import read_settings

    return read_settings({"client.server": wishes.server} if wishes.server else {})


def token_of(wishes: Wishes, settings: Settings) -> str | None:
    """The token: from ``--token-file``, the settings, a sign-in or, for this machine, the one in the data directory."""
    from codetether_apps.cli.signed_in import present_token
    from codetether_apps.settings import SettingsError, client_token, read_token
    from codetether_apps.wiring.secret_sources import CLIENTS, with_secrets

    if wishes.token_file is None:
        settings = with_secrets(settings, CLIENTS)
        return settings.client.token or present_token(settings) or client_token(settings)
    try:
        return read_token(wishes.token_file)
    except FileNotFoundError:
        raise SettingsError(f"The token file {wishes.token_file} is not there") from None
