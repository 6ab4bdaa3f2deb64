"""Registered secrets, as answered: never their values."""

from __future__ import annotations

from datetime import datetime

from attrs import frozen

__all__ = ["Secret", "Secrets"]


@frozen(kw_only=True)
class Secret:
    """Runs of these ``agents`` (none: all) are handed it in the environment ``variable``, if it has one."""

    name: str
    variable: str | None
    agents: tuple[str, ...]
    created_by: str
    created_at: datetime
    changed_at: datetime


@frozen(kw_only=True)
class Secrets:
    """All of the tenant's, by name."""

    secrets: tuple[Secret, ...]
    total: int
