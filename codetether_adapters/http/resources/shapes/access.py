"""Issued tokens, sign-ins and accounts, as answered to their owners and to administrators."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from attrs import frozen

__all__ = [
    "AccountAnswer",
    "AccountList",
    "Confirmed",
    "Identity",
    "IssuedToken",
    "IssuedTokens",
    "KnownToken",
    "SignInStatus",
    "SignIns",
    "SignedIn",
]


@frozen(kw_only=True)
class KnownToken:
    """A token, without its secret. ``kind`` is ``api_key``, ``worker`` or ``sign_in``."""

    id: str
    kind: str
    name: str
    owner: str
    roles: tuple[str, ...]
    scopes: tuple[str, ...] | None
    worker_id: str | None
    status: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


@frozen(kw_only=True)
class IssuedToken(KnownToken):
    """A token that was just issued; ``token`` is what its bearer shows."""

    token: str


@frozen(kw_only=True)
class IssuedTokens:
    """Those that the caller may revoke."""

    tokens: tuple[KnownToken, ...]


@frozen(kw_only=True)
class SignIn:
    """Where somebody is signed in, until ``expires_at`` at the latest."""

    session_id: str
    user_id: str
    username: str
    name: str
    roles: tuple[str, ...]
    tenant_id: str
    created_at: datetime
    last_activity: datetime
    expires_at: datetime | None
    device_info: Mapping[str, str]


@frozen(kw_only=True)
class SignedIn:
    """``access_token`` is for requests until ``expires_at``, ``refresh_token`` renews both, once.

    A browser that keeps them in cookies has ``csrf_token`` instead, which its pages show with what they change.
    """

    success: bool
    session: SignIn
    token_type: str
    expires_at: datetime
    access_token: str | None = None
    refresh_token: str | None = None
    csrf_token: str | None = None


@frozen(kw_only=True)
class SignIns:
    """The caller's own."""

    sessions: tuple[SignIn, ...]


@frozen(kw_only=True)
class Identity:
    """Who asks; ``session`` is its sign-in, if it is by one, ``csrf_token`` what pages show if that is in a cookie."""

    user_id: str
    username: str
    roles: tuple[str, ...]
    scopes: tuple[str, ...] | None
    tenant_id: str
    worker_id: str | None
    expires_at: datetime | None
    session: SignIn | None
    csrf_token: str | None


@frozen(kw_only=True)
class SignInStatus:
    """Whether names and passwords are of any use here, and which ways there are."""

    available: bool
    message: str
    methods: tuple[str, ...]
    keycloak_url: str | None
    issuer: str | None
    client_id: str | None


@frozen(kw_only=True)
class AccountAnswer:
    """Somebody who may sign in; ``status`` is ``enabled`` or ``disabled``."""

    name: str
    roles: tuple[str, ...]
    status: str
    created_at: datetime
    changed_at: datetime


@frozen(kw_only=True)
class AccountList:
    """All of them, by name."""

    accounts: tuple[AccountAnswer, ...]


@frozen(kw_only=True)
class Confirmed:
    """It was done."""

    success: bool
    message: str
