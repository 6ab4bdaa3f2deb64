"""Where a request may go: judged by what the host's name resolves to at that moment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from attrs import frozen

from codetether_adapters.outgoing.addresses import address_of, is_public
from codetether_adapters.outgoing.allowing import Allowed
from codetether_adapters.outgoing.resolving import Resolve
from codetether_core.errors import Invalid, Unavailable

__all__ = ["Guard"]

_HINT: Final = "name another place, or have the operator allow it in CODETETHER_OUTGOING_ALLOW"


@frozen
class Guard:
    """Lets requests go to public addresses, and where they are ``allowed`` to besides."""

    allowed: Allowed
    resolve: Resolve

    async def addresses(self, field: str, host: str, port: int) -> Sequence[str]:
        """Those that the host has now, to be connected to as they are; ``Unavailable`` if it has none.

        ``Invalid`` if one of them is not for us: of a name that leads to several places all have to be.
        It does not say which they are, so that nobody learns names of ours by asking.
        """
        found = await self.resolve(host, port)
        if not found:
            raise Unavailable("The host's name has no address")
        if not self.allowed.host(host.lower(), port) and not all(map(self._may_be_asked, found)):
            raise Invalid(field, "must lead to public addresses only", hint=_HINT, code="url_not_allowed")
        return found

    def _may_be_asked(self, text: str) -> bool:
        try:
            address = address_of(text)
        except ValueError:
            return False
        return is_public(address) or self.allowed.address(address)
