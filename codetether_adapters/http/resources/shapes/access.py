"""Issued tokens, as answered to their owners and to administrators."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

__all__ = ["IssuedToken", "IssuedTokens", "KnownToken"]


@frozen(kw_only=True)
class KnownToken:
    """A token, without its secret. ``kind`` is ``api_key`` or ``worker``."""

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
