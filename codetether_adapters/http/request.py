"""A request on its way, as the audit trail will tell of it."""

from __future__ import annotations

from attrs import define, field

from codetether_adapters.http.protected import Guidance
from codetether_core.access import DEFAULT_TENANT, Principal
from codetether_core.audit import Act, Actor
from codetether_core.ids import TenantId

__all__ = ["Request"]


@define(eq=False)
class Request:
    """As far as is known of it by now: ``route`` is the path as it was declared, ``permission`` what it takes.

    ``guidance`` is what a refused client is told besides, of where to get a token that would do.
    ``subject`` is what the request is about, where its path does not tell. ``failed``: nothing was done, as
    its answer says in words of its own. ``with_answer`` are headers that go with its answer, whatever that is.
    """

    method: str
    path: str
    act: Act
    route: str = ""
    permission: str = ""
    tenant: TenantId = DEFAULT_TENANT
    subject: str = ""
    failed: bool = False
    guidance: Guidance | None = None
    with_answer: list[tuple[bytes, bytes]] = field(factory=list)

    @property
    def id(self) -> str:
        """What the answer calls it."""
        return self.act.actor.request_id

    def recognize(self, principal: Principal) -> None:
        """It is the principal's."""
        before = self.act.actor
        self.tenant = principal.tenant
        self.act.actor = Actor(
            name=principal.name,
            ip=before.ip,
            session_id=principal.credential or "",
            request_id=before.request_id,
        )
