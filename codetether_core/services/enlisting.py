"""Peers: agents elsewhere that are registered by their cards, so that tasks can be given to them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from attrs import frozen

from codetether_core.access import Principal
from codetether_core.agents import Agent, Peer, SignIn
from codetether_core.errors import Invalid, NotConfigured, PermissionDenied
from codetether_core.ids import AgentName
from codetether_core.ports import AgentCard, AgentCards, Clock
from codetether_core.services.ownership import Ownership
from codetether_core.services.registration import Registration
from codetether_core.services.secret_keeping import SecretKeeping

__all__ = ["Enlisting"]

_EXECUTION: Final = "tasks:execute"
"""Who registers a peer has tasks done there, by whoever gives them."""


@frozen
class Enlisting:
    """Reads cards, and keeps what they say. Without ``cards`` there are no peers."""

    registration: Registration
    secrets: SecretKeeping
    ownership: Ownership
    cards: AgentCards | None
    clock: Clock

    async def enlist(
        self,
        principal: Principal,
        name: AgentName,
        card_url: str,
        *,
        secret: str | None = None,
        keys: Mapping[str, Any] | None = None,
        description: str = "",
    ) -> Agent:
        """The peer of that name, as its card at ``card_url`` says now, in place of what it said before.

        ``secret`` names the tenant's secret by which it knows us, ``keys`` is a JWK set by one of which the card has
        to be signed. ``PermissionDenied`` for who may not have tasks done, or not have the secret sent; ``Invalid``
        where a worker has the name; ``Invalid`` and ``Unavailable`` say what is wrong with the card.
        """
        if self.cards is None:
            raise NotConfigured("This server gives no tasks to agents elsewhere")
        if not (await self.ownership.reach(principal, _EXECUTION)).everybody:
            raise PermissionDenied(f"{principal.name} may not {_EXECUTION}", permission=_EXECUTION)
        await self.registration.require_no_worker(principal.tenant, name)
        if secret is not None:
            await self.secrets.require_sending(principal, secret)
        card = await self.cards.read(card_url, keys)
        if secret is not None and not card.beside and not (card.signed and keys is not None):
            hint = "give the keys (card_keys) by which the card is signed, or a card beside the agent"
            raise Invalid("card_url", f"leads to an agent elsewhere: {card.url}", hint=hint, code="card_unfit")
        now = self.clock.now()
        agent = Agent(
            name=name,
            tenant=principal.tenant,
            principal=principal.name,
            registered_at=now,
            last_seen=now,
            url=card.url,
            description=description or card.description or card.name,
            peer=Peer(
                card_url=card_url,
                url=card.url,
                dialect=card.dialect,
                read_at=now,
                tenant=card.tenant,
                streams=card.streams,
                idempotent=card.idempotent,
                signed=card.signed,
                sign_in=_sign_in(card, secret),
            ),
        )
        return await self.registration.add_agent(principal, agent)


def _sign_in(card: AgentCard, secret: str | None) -> SignIn | None:
    if secret is None and card.asks_who:
        hint = "register a secret (PUT /v1/secrets/{name}), and name it"
        raise Invalid("secret", "is required: the agent wants to know who asks", hint=hint)
    if secret is None:
        return None
    return SignIn(header=card.header, prefix=card.prefix, secret=secret)
