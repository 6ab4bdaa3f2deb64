"""The token that an embedded store's first start leaves in the data directory, for programs of this machine to find."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from codetether_apps.settings.errors import SettingsError
from codetether_apps.settings.sections import Settings

__all__ = ["client_token", "is_loopback", "read_token", "token_file"]


def client_token(settings: Settings) -> str | None:
    """The token to show to the server: the one that is set, else, to a server on this machine, the generated one."""
    if settings.client.token:
        return settings.client.token
    if not is_loopback(urlsplit(settings.client.server).hostname or ""):
        return None
    try:
        return read_token(token_file(settings))
    except FileNotFoundError:
        return None


def token_file(settings: Settings) -> Path:
    """Where the generated token is kept."""
    return settings.storage.data_dir / "token"


def read_token(path: Path) -> str:
    """The token in a file; ``FileNotFoundError`` if there is none, ``SettingsError`` if it cannot be had."""
    try:
        token = path.read_text(encoding="utf-8").strip()
    except NotADirectoryError:
        raise FileNotFoundError(path) from None
    except FileNotFoundError:
        raise
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The token file {path} cannot be read: {error}") from None
    if not token:
        raise SettingsError(f"The token file {path} is empty")
    return token


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that listens there."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
