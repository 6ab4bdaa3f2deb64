"""Which server, and who we are to it: arguments first, then the environment."""

from __future__ import annotations

import os
import platform
import ssl
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from attrs import field, frozen

from codetether_adapters.client.outgoing import header_value
from codetether_adapters.client.tls import tls_with
from codetether_core.errors import Invalid

__all__ = ["DEFAULT_SERVER", "Server", "find_server"]

DEFAULT_SERVER: Final = "http://127.0.0.1:8000"
_DISTRIBUTION: Final = "codetether-hub"


@frozen(kw_only=True)
class Server:
    """An address and the headers that every request to it carries.

    ``tls`` is how to speak TLS to it, if not as with any public server.
    """

    url: str
    headers: Mapping[str, str] = field(repr=False)
    tls: ssl.SSLContext | None = None

    @property
    def shown(self) -> str:
        """The address as it may be shown: without a password."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def find_server(
    url: str | None = None,
    token: str | None = None,
    *,
    tls: ssl.SSLContext | None = None,
    environment: Mapping[str, str] | None = None,
) -> Server:
    """The server by argument, else ``CODETETHER_SERVER`` (``A2A_SERVER_URL``); the token likewise.

    ``CODETETHER_TOKEN_FILE`` names a file that holds the token. A token in the URL's user information is sent as
    Basic credentials, as deployed workers do. Without ``tls`` the environment says whom to trust
    (``CODETETHER_CA``) and what to show (``CODETETHER_CLIENT_CERT`` and ``CODETETHER_CLIENT_KEY``).
    """
    environment = os.environ if environment is None else environment
    url = url or environment.get("CODETETHER_SERVER") or environment.get("A2A_SERVER_URL") or DEFAULT_SERVER
    if not _is_address(url):
        raise Invalid("server", f"{url!r} is no address", hint="for instance http://127.0.0.1:8000")
    headers = {"user-agent": _user_agent(), "accept-encoding": "identity"}
    if token := token or environment.get("CODETETHER_TOKEN") or _token_in(environment.get("CODETETHER_TOKEN_FILE")):
        header_value("token", token)
        headers["authorization"] = f"Bearer {token}"
    if tls is None and url.startswith("https:"):
        tls = _tls_in(environment)
    return Server(url=url.rstrip("/"), headers=headers, tls=tls)


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _token_in(file: str | None) -> str:
    try:
        return Path(file).read_text(encoding="utf-8").strip() if file else ""
    except OSError as error:
        raise Invalid("CODETETHER_TOKEN_FILE", f"cannot be read: {error.strerror}") from None


def _tls_in(environment: Mapping[str, str]) -> ssl.SSLContext | None:
    ca, cert, key = (
        Path(named) if (named := environment.get(f"CODETETHER_{name}")) else None
        for name in ("CA", "CLIENT_CERT", "CLIENT_KEY")
    )
    return tls_with(ca=ca, cert=cert, key=key) if ca or cert or key else None


def _user_agent() -> str:
    try:
        ours = version(_DISTRIBUTION)
    except PackageNotFoundError:
        ours = "0"
    return f"{_DISTRIBUTION}/{ours} (Python {platform.python_version()}; {sys.platform})"
