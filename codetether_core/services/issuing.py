"""Credentials: issuing them, recognizing them, taking them back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

from attrs import field, frozen

from codetether_core.access import (
    PERMISSIONS,
    ROLES,
    Credential,
    CredentialKind,
    Principal,
    Token,
    allows,
    covers,
    principal_of,
    revoke,
)
from codetether_core.errors import Invalid, NotConfigured, NotFound, PermissionDenied, Unauthenticated
from codetether_core.events import CREDENTIALS, Event, Topic
from codetether_core.ids import CredentialId, WorkerId, new_id
from codetether_core.ports import Clock, Entropy, RecordStore
from codetether_core.services.swapping import until_swapped

__all__ = ["REVOKED", "Issuing"]

REVOKED: Final = "credential.revoked"
"""The kind of the event that ends what a credential began."""

_SECRET_BYTES: Final = 32
_WORKER: Final = frozenset({"worker"})


@frozen
class Issuing:
    """API keys and the tokens of workers. ``key`` is the installation's; without it none are issued, nor recognized.

    ``observers`` are told what was revoked here, at once; the log tells everybody else.
    """

    credentials: RecordStore[Credential]
    clock: Clock
    entropy: Entropy
    key: bytes | None
    observers: list[Callable[[Credential], None]] = field(factory=list)

    async def issue_key(
        self,
        principal: Principal,
        *,
        name: str,
        roles: frozenset[str] | None = None,
        scopes: frozenset[str] | None = None,
        lifetime: timedelta | None = None,
    ) -> tuple[Credential, str]:
        """A key that stands for the principal with its roles, or some of them, and what to show, told this once.

        ``Invalid`` for a role or scope that there is none of. ``PermissionDenied`` for a role that the principal lacks,
        and for who shows such a credential itself: a key that leaked must not make others.
        """
        if principal.credential is not None:
            raise PermissionDenied("A key makes no keys", hint="sign in, or use a token of the settings")
        roles = principal.roles if roles is None else roles
        for role in sorted(roles - principal.roles):
            if role not in ROLES:
                raise Invalid("roles", f"must be among {', '.join(sorted(ROLES))}")
            raise PermissionDenied(f"{principal.name} is no {role}", permission=role)
        for scope in sorted(scopes or ()):
            if not any(covers({scope}, permission) for permission in PERMISSIONS):
                raise Invalid("scopes", f"has {scope!r}, which is no permission", hint="such as tasks:read, or tasks:*")
        return await self._issue(
            principal,
            CredentialKind.API_KEY,
            name,
            owner=principal.name,
            roles=roles,
            scopes=scopes,
            lifetime=lifetime,
        )

    async def issue_worker_token(
        self, principal: Principal, worker: WorkerId, *, name: str = "", lifetime: timedelta | None = None
    ) -> tuple[Credential, str]:
        """A token with which one worker, and no other, does what workers do; and what to show, told this once."""
        return await self._issue(
            principal,
            CredentialKind.WORKER,
            name or worker,
            owner=f"worker/{worker}",
            roles=_WORKER,
            worker=worker,
            lifetime=lifetime,
        )

    async def list(self, principal: Principal) -> Sequence[Credential]:
        """Those that the principal may revoke, latest first."""
        every = await self.credentials.list(principal.tenant)
        return [each for each in reversed(every) if _may_see(principal, each)]

    async def revoke(self, principal: Principal, id: CredentialId) -> Credential:
        """Take one back: what it began ends within seconds. ``NotFound`` also for somebody else's."""

        async def attempt() -> Credential:
            old = await self.credentials.get(principal.tenant, id)
            if not _may_see(principal, old):
                raise NotFound("credential", id)
            new = revoke(old, self.clock.now())
            topic = Topic(new.tenant, CREDENTIALS, new.id)
            event = Event(topic, REVOKED, self.clock.now(), {"credential_id": new.id, "by": principal.name})
            await self.credentials.replace(old, new, [event])
            return new

        revoked = await until_swapped(attempt, "credential", id)
        for observer in self.observers:
            observer(revoked)
        return revoked

    async def recognize(self, token: Token) -> Principal:
        """Whom its bearer speaks for; ``Unauthenticated`` if it is none that counts."""
        if self.key is None:
            raise Unauthenticated("Invalid token")
        try:
            credential = await self.credentials.get(token.tenant, token.id)
        except NotFound:
            raise Unauthenticated("Invalid token") from None
        return principal_of(credential, token, self.key, self.clock.now())

    async def _issue(
        self,
        principal: Principal,
        kind: CredentialKind,
        name: str,
        *,
        owner: str,
        roles: frozenset[str],
        scopes: frozenset[str] | None = None,
        worker: WorkerId | None = None,
        lifetime: timedelta | None,
    ) -> tuple[Credential, str]:
        if self.key is None:
            raise NotConfigured("This installation has no key to keep tokens under", hint="set CODETETHER_SECRET_KEY")
        if lifetime is not None and lifetime <= timedelta():
            raise Invalid("lifetime", "must be more than nothing")
        now = self.clock.now()
        id = CredentialId(new_id(kind, now, self.entropy.bytes(16)))
        token = Token.new(principal.tenant, id, self.entropy.bytes(_SECRET_BYTES))
        credential = Credential(
            id=id,
            tenant=principal.tenant,
            kind=kind,
            name=name,
            owner=owner,
            roles=roles,
            scopes=scopes,
            worker=worker,
            secret=token.hashed(self.key),
            created_at=now,
            expires_at=None if lifetime is None else now + lifetime,
        )
        event = Event(
            Topic(credential.tenant, CREDENTIALS, id),
            "credential.issued",
            now,
            {"credential_id": id, "name": name, "owner": owner, "by": principal.name},
        )
        await self.credentials.add(credential, [event])
        return credential, str(token)


def _may_see(principal: Principal, credential: Credential) -> bool:
    own = credential.kind is CredentialKind.API_KEY and credential.owner == principal.name
    return own or allows(principal, "keys:admin")
