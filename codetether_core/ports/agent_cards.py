"""Finding out about agents elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from attrs import frozen

__all__ = ["AgentCard", "AgentCards"]


@frozen(kw_only=True)
class AgentCard:
    """What an agent's card says of it, as far as it matters to us; where, and in which release, it is best spoken to.

    ``header`` and ``prefix`` are how it is told who asks, which it may ask for (``asks_who``). It is spoken to
    ``beside`` its card if that is at the same host and port. The rest is as in ``Peer``.
    """

    name: str
    description: str
    url: str
    dialect: str
    tenant: str = ""
    streams: bool = False
    idempotent: bool = False
    signed: bool = False
    header: str = "Authorization"
    prefix: str = "Bearer "
    asks_who: bool = False
    beside: bool = False


class AgentCards(Protocol):
    """Reads cards wherever requests may go."""

    async def read(self, url: str, keys: Mapping[str, Any] | None = None) -> AgentCard:
        """The card at that address (of a site, if it names nothing there), whose signature, if it has one, is good.

        ``keys`` is a JWK set: with one, the card has to be signed by one of them. ``Invalid`` says what is wrong with
        the card, or that it may not be asked for; ``Unavailable`` that nobody gave it to us.
        """
        ...
