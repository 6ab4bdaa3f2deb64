"""Several kinds of credentials, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from attrs import frozen

from codetether_core.access import Principal
from codetether_core.ports import Authenticator

__all__ = ["Chain"]


@frozen
class Chain:
    """Asks each in turn (an ``Authenticator``)."""

    links: Sequence[Authenticator]

    async def authenticate(self, credential: str) -> Principal | None:
        """What the first one says that knows this kind."""
        for link in self.links:
            principal = await link.authenticate(credential)
            if principal is not None:
                return principal
        return None

    @contextmanager
    def standing(self, principal: Principal, fall: Callable[[], None]) -> Iterator[None]:
        """As soon as one of them says so."""
        with ExitStack() as stack:
            for link in self.links:
                stack.enter_context(link.standing(principal, fall))
            yield
