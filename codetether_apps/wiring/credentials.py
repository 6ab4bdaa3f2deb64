"""Who may ask: whoever has a token of the settings, or the one that an embedded store's first start makes, or one that
was issued and is kept in the store.

The first start's is in a file of the data directory, for this user only, so that commands and workers on the same
machine find it. So is the key under which issued ones are kept, unless the settings have it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from attrs import frozen

from codetether_adapters.tokens import StaticToken, StaticTokens
from codetether_apps.settings import Settings, SettingsError, is_loopback, token_file
from codetether_apps.wiring.backends import is_embedded
from codetether_apps.wiring.kept_secrets import KeptSecret, kept_secret
from codetether_core.access import Principal

__all__ = ["Access", "access_of", "installation_key"]

_ANONYMOUS: Final = Principal(name="anonymous", roles=frozenset({"admin"}))
_OWNER: Final = "admin"
_KEY_FILE: Final = "secret-key"


@frozen
class Access:
    """How requests are authenticated. ``anonymous`` is everybody, where authentication is off."""

    tokens: StaticTokens
    anonymous: Principal | None = None
    generated: KeptSecret | None = None


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
    generated = kept_secret(token_file(settings))
    own = StaticToken.of(_OWNER, generated.text, {"admin"})
    return Access(StaticTokens([own, *more]), generated=generated)


def installation_key(settings: Settings) -> bytes | None:
    """Under which issued tokens are kept, the same on every server of a store; ``None`` if there is none to be had."""
    if settings.auth.secret_key:
        return settings.auth.secret_key.encode()
    if not is_embedded(settings):
        return None
    return kept_secret(settings.storage.data_dir / _KEY_FILE).text.encode()


def _refuse_open_house(settings: Settings) -> None:
    if not is_loopback(settings.server.host):
        raise SettingsError(
            f"auth.enabled ({settings.origin('auth.enabled')}) is off, "
            f"but server.host ({settings.origin('server.host')}) is {settings.server.host}",
            hint="anybody could run commands here: turn authentication on, or listen on 127.0.0.1",
        )
