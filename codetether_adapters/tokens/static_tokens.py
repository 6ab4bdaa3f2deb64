"""Tokens from the settings."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext

from attrs import frozen

from codetether_core.access import DEFAULT_TENANT, Principal
from codetether_core.ids import TenantId

__all__ = ["StaticToken", "StaticTokens"]


@frozen(kw_only=True)
class StaticToken:
    """A token, known by its SHA-256 only (hexadecimal), and whose it is."""

    name: str
    sha256: str
    roles: frozenset[str]
    tenant: TenantId = DEFAULT_TENANT

    @classmethod
    def of(cls, name: str, token: str, roles: Iterable[str], tenant: TenantId = DEFAULT_TENANT) -> StaticToken:
        """The entry of a token given in clear."""
        return cls(name=name, sha256=_digest(token).hex(), roles=frozenset(roles), tenant=tenant)


class StaticTokens:
    """Authenticates against a fixed list (port ``Authenticator``).

    A credential is hashed before it is looked up, so that the time it takes tells nothing of the tokens there are.
    """

    __slots__ = ("_known",)

    def __init__(self, tokens: Iterable[StaticToken]) -> None:
        self._known: dict[bytes, tuple[bytes, Principal]] = {}
        for token in tokens:
            digest = bytes.fromhex(token.sha256)
            if digest in self._known:
                raise ValueError(f"token {token.name!r} is the same as that of {self._known[digest][1].name!r}")
            self._known[digest] = (digest, Principal(name=token.name, tenant=token.tenant, roles=token.roles))

    async def authenticate(self, credential: str) -> Principal | None:
        """The principal whose token this is, if there is one."""
        digest = _digest(credential)
        known = self._known.get(digest)
        if known is None or not hmac.compare_digest(known[0], digest):
            return None
        return known[1]

    def standing(self, principal: Principal, fall: Callable[[], None]) -> AbstractContextManager[None]:
        """For as long as the process runs: the list does not change."""
        return nullcontext()


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
