"""Keys and their rotation: ``client.encryption``, for administrators."""

from __future__ import annotations

from attrs import frozen

from codetether_adapters.client.operations import M, Resource, operation
from codetether_adapters.client.requests import Request, one

__all__ = ["Encryption", "EncryptionView", "KeyUseView", "RotatedView"]

_AT = "/v1/encryption"


@frozen(kw_only=True)
class KeyUseView:
    """A key of the installation: how many data keys are under it, and whether the server has it."""

    id: str
    data_keys: int = 0
    available: bool = False


@frozen(kw_only=True)
class EncryptionView:
    """``key`` is the one that data keys come under from now on, ``data_key`` the one that encrypts; empty for none.

    ``at_rest`` says whether all that people and agents write is encrypted.
    """

    key: str
    at_rest: bool = False
    data_key: str = ""
    keys: tuple[KeyUseView, ...] = ()


@frozen(kw_only=True)
class RotatedView:
    """How many data keys of how many tenants came under the present key, and the data key that was made, if any."""

    rewrapped: int
    added: str | None = None
    tenants: int = 1


class Encryption(Resource[M]):
    """``client.encryption``."""

    @operation
    async def state(self) -> EncryptionView:
        """Which keys are in use."""
        return await self._send(Request(method="GET", path=_AT, read=one(EncryptionView)))

    @operation
    async def rotate(self, *, data_key: bool = False, all_tenants: bool = False) -> RotatedView:
        """Have every data key come under the server's present key; with ``data_key`` there is a new one besides.

        ``all_tenants`` is for an administrator of the tenant ``default``.
        """
        body = {"data_key": data_key, "all_tenants": all_tenants}
        return await self._send(
            Request(method="POST", path=f"{_AT}/rotate", body=body, read=one(RotatedView), repeatable=not data_key)
        )
