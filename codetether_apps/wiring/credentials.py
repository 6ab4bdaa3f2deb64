"""Who may ask: the tokens of the settings, or the one that an embedded store's first start makes.

That one is in a file of the data directory, for this user only, so that commands and workers on the same machine
find it.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from attrs import frozen

from codetether_adapters.tokens import StaticToken, StaticTokens
from codetether_apps.settings import Settings, SettingsError, is_loopback, token_file
from codetether_apps.wiring.backends import is_embedded
from codetether_apps.wiring.data_directory import make_directory, unwritable
from codetether_core.access import Principal
from codetether_core.errors import Unavailable

__all__ = ["Access", "Generated", "access_of"]

_ANONYMOUS: Final = Principal(name="anonymous", roles=frozenset({"admin"}))
_OWNER: Final = "admin"


@frozen
class Generated:
    """The token of an embedded store, and whether this start made it."""

    path: Path
    token: str
    fresh: bool


@frozen
class Access:
    """How requests are authenticated. ``anonymous`` is everybody, where authentication is off."""

    authenticator: StaticTokens
    anonymous: Principal | None = None
    generated: Generated | None = None


def access_of(settings: Settings, more: Iterable[StaticToken] = ()) -> Access:
    """Authentication as the settings say; ``more`` are tokens of this process itself."""
    given = [StaticToken.of(each.name, each.token, each.roles) for each in settings.auth.tokens]
    if not settings.auth.enabled:
        _refuse_open_house(settings)
        return Access(StaticTokens([*given, *more]), anonymous=_ANONYMOUS)
    if given:
        return Access(StaticTokens([*given, *more]))
    if not is_embedded(settings):
        raise SettingsError(
            "auth.tokens must name who may ask, because the store is shared",
            hint="set CODETETHER_TOKENS=name:token:role, the same for every server of this store",
        )
    generated = _generated(token_file(settings))
    own = StaticToken.of(_OWNER, generated.token, {"admin"})
    return Access(StaticTokens([own, *more]), generated=generated)


def _refuse_open_house(settings: Settings) -> None:
    if not is_loopback(settings.server.host):
        raise SettingsError(
            f"auth.enabled ({settings.origin('auth.enabled')}) is off, "
            f"but server.host ({settings.origin('server.host')}) is {settings.server.host}",
            hint="anybody could run commands here: turn authentication on, or listen on 127.0.0.1",
        )


def _generated(path: Path) -> Generated:
    make_directory(path.parent)
    try:
        token = secrets.token_urlsafe(32)
        unfinished = path.with_name(f"{path.name}.{os.getpid()}")
        try:
            if not path.exists():
                descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
                with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                    file.write(f"{token}\n")
                os.link(unfinished, path)  # whole, or not at all, and never over another's
                return Generated(path, token, fresh=True)
        except FileExistsError:
            pass
        finally:
            unfinished.unlink(missing_ok=True)
        kept = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise unwritable(path, error) from error
    if not kept:
        raise Unavailable(f"{path} holds no token", hint="remove the file; the next start makes a new one")
    return Generated(path, kept, fresh=False)
