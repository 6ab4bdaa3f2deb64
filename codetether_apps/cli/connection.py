"""From flags, environment and files to a client; what that takes is imported when a command runs, not for its help."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from codetether_apps.cli.wishes import Wishes

if TYPE_CHECKING:
    from codetether_adapters.client import Client
    from codetether_apps.settings import Settings

__all__ = ["connected", "settings_of", "token_of"]


@contextmanager
def connected(ctx: click.Context) -> Iterator[Client]:
    """A client of the server that is wished for."""
    from codetether_adapters.client import Client, Patience, silence_retries

    silence_retries()
    wishes = ctx.ensure_object(Wishes)
    settings = settings_of(wishes)
    patience = Patience(attempts=3, total=10.0)  # somebody sits there and waits
    with Client(settings.client.server, token=token_of(wishes, settings), patience=patience) as client:
        yield client


def settings_of(wishes: Wishes) -> Settings:
    """The settings, with the flags that were given."""
    from codetether_apps.settings import read_settings

    return read_settings({"client.server": wishes.server} if wishes.server else {})


def token_of(wishes: Wishes, settings: Settings) -> str | None:
    """The token: from ``--token-file``, else the settings, else, for this machine, the one in the data directory."""
    if wishes.token_file is not None:
        return _read(wishes.token_file)
    if settings.client.token:
        return settings.client.token
    kept = settings.storage.data_dir / "token"
    return _read(kept) if _is_this_machine(settings.client.server) and kept.exists() else None


def _read(path: Path) -> str:
    from codetether_apps.settings import SettingsError

    try:
        token = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The token file {path} cannot be read: {error}") from None
    if not token:
        raise SettingsError(f"The token file {path} is empty")
    return token


def _is_this_machine(server: str) -> bool:
    host = urlsplit(server).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
