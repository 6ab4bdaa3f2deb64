"""Data keys: what a tenant's values are encrypted under, kept encrypted itself.

A tenant's are numbered. The last is for what is written from now on, those before it for reading what they encrypted.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from attrs import evolve, field, frozen

from codetether_core.ids import TenantId

__all__ = ["DataKey", "data_key_id", "number_of", "rewrapped"]

_PREFIX: Final = "key-"
_DIGITS: Final = 6


@frozen(kw_only=True)
class DataKey:
    """``wrapped`` is the key, encrypted under the installation's key that ``wrapped_by`` names (base64url)."""

    id: str
    tenant: TenantId
    wrapped: str = field(repr=False)
    wrapped_by: str
    created_at: datetime
    version: int = 1


def data_key_id(number: int) -> str:
    """The id of a tenant's data key, the first of which is 1: ids sort as their numbers do."""
    return f"{_PREFIX}{number:0{_DIGITS}}"


def number_of(id: str) -> int:
    """Which of its tenant's data keys it is."""
    return int(id.removeprefix(_PREFIX))


def rewrapped(key: DataKey, wrapped: str, by: str) -> DataKey:
    """The same key, encrypted under another of the installation."""
    return evolve(key, wrapped=wrapped, wrapped_by=by, version=key.version + 1)
