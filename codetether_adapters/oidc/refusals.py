"""Why somebody is not signed in."""

from __future__ import annotations

from codetether_core.errors import Unauthenticated

__all__ = ["SignInExpired", "SignInRefused", "SignInUnknown", "SignInUnproven"]


class SignInRefused(Unauthenticated):
    """The provider, or the person, said no."""

    code = "sign_in_refused"


class SignInUnknown(Unauthenticated):
    """It was not begun here."""

    code = "sign_in_unknown"


class SignInExpired(Unauthenticated):
    """It was begun too long ago."""

    code = "sign_in_expired"


class SignInUnproven(Unauthenticated):
    """What the provider is said to have sent does not prove who it is."""

    code = "sign_in_unproven"
