"""Staying signed in: the token of a sign-in, renewed when its time is nearly over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from codetether_core.errors import Unauthenticated

if TYPE_CHECKING:
    from codetether_adapters.client import SignedInView
    from codetether_apps.settings import Settings, SignIn

__all__ = ["SignInOver", "kept_form", "present_token"]


class SignInOver(Unauthenticated):
    """The server renews it no more."""

    code = "sign_in_over"


_SOON: Final = timedelta(minutes=1)


def present_token(settings: Settings) -> str | None:
    """The token of the sign-in at the server of the settings, renewed if need be; ``None`` if there is none."""
    from codetether_adapters.client import Client
    from codetether_apps.settings import client_tls, sign_ins, sign_ins_file

    if not sign_ins_file(settings).exists():
        return None
    with sign_ins(settings) as kept:
        sign_in = kept.at(settings.client.server)
        if sign_in is None or datetime.now(UTC) < sign_in.expires_at - _SOON:
            return sign_in.access_token if sign_in else None
        try:
            with Client(settings.client.server, tls=client_tls(settings)) as client:
                renewed = client.identity.refresh(sign_in.refresh_token)
        except Unauthenticated as error:
            kept.forget(settings.client.server)
            raise SignInOver(
                f"The sign-in as {sign_in.username} is over", hint=f"codetether login {sign_in.username}"
            ) from error
        kept.keep(kept_form(settings, renewed))
        return renewed.access_token


def kept_form(settings: Settings, told: SignedInView) -> SignIn:
    """What is kept of what the server told."""
    from codetether_apps.settings import SignIn

    return SignIn(
        server=settings.client.server,
        username=told.session.username,
        access_token=told.access_token,
        refresh_token=told.refresh_token,
        expires_at=told.expires_at,
    )
