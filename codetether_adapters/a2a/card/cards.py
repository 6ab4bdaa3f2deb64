"""The cards: the public one, and the one for those whom we know."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from attrs import define, evolve, field

from codetether_adapters.a2a.card.profile import Profile, Skill
from codetether_adapters.a2a.card.publishing import Page, page_of
from codetether_adapters.a2a.card.release_0_3 import with_release_0_3
from codetether_adapters.a2a.card.release_1_0 import card_of
from codetether_adapters.a2a.card.signing import CardSigner, signatures_of
from codetether_adapters.a2a.card.skills import of_agents, of_codebases, of_workers
from codetether_adapters.a2a.errors import UNSUPPORTED_OPERATION, Refused
from codetether_core.access import Principal
from codetether_core.errors import PermissionDenied
from codetether_core.ports import Authorizer
from codetether_core.services import Services

__all__ = ["Cards"]


@define(kw_only=True, eq=False)
class Cards:
    """``profile`` tells what the public card says at present. A ``pure`` card has no word of release 0.3.

    A ``signer`` is only for a server whose address is settled: otherwise whoever asks chooses the address that the card
    has, and would have us sign that.
    """

    services: Services
    authorizer: Authorizer
    profile: Callable[[], Profile]
    pure: bool = False
    signer: CardSigner | None = None
    _known: Profile | None = field(default=None, init=False)
    _since: datetime = field(init=False)
    _last: tuple[str, Page] | None = field(default=None, init=False)

    def public(self, base_url: str) -> Page:
        """The card for everybody, of the server at that address; a settled address's is written and signed once."""
        profile = self.profile()
        if profile != self._known:
            self._known, self._since, self._last = profile, self.services.clock.now(), None
        if self._last is None or self._last[0] != base_url:
            self._last = base_url, page_of(self._written(profile, base_url, self.pure), self._since)
        return self._last[1]

    async def extended(self, principal: Principal, base_url: str, release: str) -> Mapping[str, Any]:
        """The card for this one, in the words of a release: with the skills of its tenant that it may know of.

        ``Refused`` where there is none.
        """
        profile = self.profile()
        if not profile.extended:
            raise Refused(UNSUPPORTED_OPERATION, "There is no extended card: nobody has to sign in here")
        skills = (*profile.skills, *await self._skills(principal))
        return self._written(evolve(profile, skills=skills), base_url, self.pure and release != "0.3")

    def keys(self) -> Mapping[str, Any]:
        """The keys by which signatures are checked, as a JWK set."""
        return self.signer.keys() if self.signer else {"keys": []}

    def _written(self, profile: Profile, base_url: str, pure: bool) -> dict[str, Any]:
        card = card_of(profile, base_url)
        told = card if pure else with_release_0_3(card)
        return told | ({"signatures": signatures_of(card, self.signer, base_url)} if self.signer else {})

    async def _skills(self, principal: Principal) -> list[Skill]:
        backend, found = self.services.backend, list[Skill]()
        if await self._may(principal, "agents:read"):
            found += of_agents(await self.services.registration.discover(principal))
        if await self._may(principal, "workers:read"):
            workers = await backend.directory.workers.list(principal.tenant)
            found += of_workers(workers, self.services.clock.now())
        if await self._may(principal, "codebases:read"):
            found += of_codebases(await backend.codebases.list(principal.tenant))
        return found

    async def _may(self, principal: Principal, permission: str) -> bool:
        try:
            await self.authorizer.authorize(principal, permission)
        except PermissionDenied:
            return False
        return True
