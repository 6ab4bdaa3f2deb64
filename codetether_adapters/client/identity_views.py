"""What the server tells of who may come in, and by what, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from attrs import Factory, field, frozen

from codetether_core.ids import CredentialId, WorkerId

__all__ = ["AccountView", "SignInView", "SignedInView", "TokenView"]


@frozen(kw_only=True)
class TokenView:
    """A token that the server issued; ``token``, what its bearer shows, is there in the answer that issued it alone."""

    id: CredentialId
    kind: str = ""
    name: str = ""
    owner: str = ""
    roles: tuple[str, ...] = ()
    scopes: tuple[str, ...] | None = None
    worker_id: WorkerId | None = None
    status: str = ""
    created_at: datetime | None = None
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    token: str | None = field(default=None, repr=False)


@frozen(kw_only=True)
class SignInView:
    """Where somebody is signed in, until ``expires_at`` at the latest."""

    session_id: CredentialId
    username: str
    roles: tuple[str, ...] = ()
    tenant_id: str = ""
    created_at: datetime | None = None
    last_activity: datetime | None = None
    expires_at: datetime | None = None
    device_info: Mapping[str, Any] = Factory(dict)


@frozen(kw_only=True)
class SignedInView:
    """``access_token`` is for requests until ``expires_at``, ``refresh_token`` renews both."""

    session: SignInView
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: datetime


@frozen(kw_only=True)
class AccountView:
    """Somebody who may sign in with a password."""

    name: str
    roles: tuple[str, ...] = ()
    status: str = ""
    created_at: datetime | None = None
    changed_at: datetime | None = None
