"""Keys and their rotation, as answered to administrators."""

from __future__ import annotations

from attrs import frozen

__all__ = ["EncryptionState", "RotationAnswer"]


@frozen(kw_only=True)
class KeyUse:
    """A key of the installation: how many data keys of the tenant are under it, and whether the server has it."""

    id: str
    data_keys: int
    available: bool


@frozen(kw_only=True)
class EncryptionState:
    """``key`` is the one that data keys come under from now on, ``data_key`` the one that encrypts; empty for none.

    ``at_rest`` says whether all that people and agents write is encrypted.
    """

    tenant: str
    at_rest: bool
    key: str
    data_key: str
    keys: tuple[KeyUse, ...]


@frozen(kw_only=True)
class RotationAnswer:
    """How many data keys of how many tenants came under the present key, and the new data key, if one was asked for."""

    rewrapped: int
    added: str | None
    tenants: int
