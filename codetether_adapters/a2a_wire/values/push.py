"""Webhooks: where to tell of a task, and how to sign in there."""

from __future__ import annotations

from attrs import field, frozen

__all__ = ["Authentication", "PushConfig"]


@frozen(kw_only=True)
class Authentication:
    """``Authorization: {scheme} {credentials}``."""

    scheme: str
    credentials: str | None = field(default=None, repr=False)


@frozen(kw_only=True)
class PushConfig:
    """One webhook of a task. ``token`` is what the receiver knows us by."""

    url: str
    id: str | None = None
    task_id: str | None = None
    token: str | None = field(default=None, repr=False)
    authentication: Authentication | None = None
