"""Credentials: issuing them, recognizing them, taking them back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from attrs import field, frozen

from codetether_core.access import (
    PERMISSIONS,
    ROLES,
    SECRET_BYTES,
    SYSTEM,
    Credential,
    CredentialKind,
    CredentialState,
    Principal,
    Token,
    covers,
    ended_before,
    principal_of,
    refuse_delegated,
    require_active,
    revoke,
)
from codetether_core.errors import (
    Conflict,
    Invalid,
    NotConfigured,
    NotFound,
    PermissionDenied,
    Unauthenticated,
    VersionConflict,
)
from codetether_core.events import CREDENTIALS, Event, Topic
from codetether_core.ids import CredentialId, TenantId, WorkerId, new_id
from codetether_core.ports import Clock, Entropy, RecordStore
from codetether_core.services.ownership import KEYS, Ownership, Reach
from codetether_core.services.swapping import until_swapped

__all__ = ["RENEWED", "REVOKED", "Issuing", "credential_event"]

RENEWED: Final = "credential.renewed"
"""The kind of the event that ends what was shown for a sign-in before."""

REVOKED: Final = "credential.revoked"
"""The kind of the event that ends what a credential began."""

_WORKER: Final = frozenset({"worker"})

_KEPT: Final = timedelta(days=30)
_TIDY_EVERY: Final = timedelta(hours=1)


@frozen
class Issuing:
    """API keys and the tokens of workers, and the end of any credential.

    ``key`` is the installation's; without it none are issued, nor recognized. An API key of somebody whom an identity
    provider vouches for lasts for ``key_max_age`` at most, as nobody here hears when that person is shut out there.
    ``observers`` are told at once what changed here; the log tells everybody else.
    """

    credentials: RecordStore[Credential]
    clock: Clock
    entropy: Entropy
    ownership: Ownership
    key: bytes | None = field(repr=False)
    key_max_age: timedelta = timedelta(days=90)
    observers: list[Callable[[Credential], None]] = field(factory=list)
    _tidied: dict[TenantId, datetime] = field(factory=dict, init=False)

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

        ``Invalid`` for a role or scope that there is none of, and for a lifetime beyond the longest for the principal,
        which is also what it has without one. ``PermissionDenied`` for a role that the principal lacks, and for who
        shows such a credential itself: a key that leaked must not make others.
        """
        refuse_delegated(principal, "makes no keys")
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
            lifetime=self._lifetime(principal, lifetime),
            provider=principal.provider,
        )

    async def issue_worker_token(
        self, principal: Principal, worker: WorkerId, *, name: str = "", lifetime: timedelta | None = None
    ) -> tuple[Credential, str]:
        """A token with which one worker, and no other, does what workers do; and what to show, told this once."""
        refuse_delegated(principal, "makes no keys")
        return await self._issue(
            principal,
            CredentialKind.WORKER,
            name or worker,
            owner=f"worker/{worker}",
            roles=_WORKER,
            worker=worker,
            lifetime=lifetime,
        )

    async def list(self, principal: Principal, *, sign_ins: bool = False) -> Sequence[Credential]:
        """What the principal may revoke, latest first; sign-ins only if asked for."""
        every = await self.credentials.list(principal.tenant)
        reach = await self.ownership.reach(principal, KEYS)
        return [
            each
            for each in reversed(every)
            if (sign_ins or each.kind is not CredentialKind.SIGN_IN) and _reaches(reach, each)
        ]

    async def active(self, tenant: TenantId, owner: str) -> Sequence[Credential]:
        """All that stand for somebody and were not revoked, latest first."""
        every = await self.credentials.list(tenant)
        return [each for each in reversed(every) if each.owner == owner and each.state is CredentialState.ACTIVE]

    async def revoke(self, principal: Principal, id: CredentialId) -> Credential:
        """Take one back: what it began ends within seconds. ``NotFound`` also for somebody else's."""
        reach = await self.ownership.reach(principal, KEYS)
        if not _reaches(reach, await self.credentials.get(principal.tenant, id)):
            raise NotFound("credential", id)
        return await self.end(principal.tenant, id, by=principal.name)

    async def revoke_all(self, principal: Principal, owner: str) -> Sequence[Credential]:
        """Take back all that stands for somebody, sign-ins too; ``PermissionDenied`` for who may not act for it."""
        if not (await self.ownership.reach(principal, KEYS)).covers(owner):
            raise PermissionDenied("These are another's tokens", permission=KEYS)
        revoked: list[Credential] = []
        while found := await self.active(principal.tenant, owner):  # more may be issued by one that is about to end
            for credential in found:
                with suppress(Conflict):  # somebody else ended it
                    revoked.append(await self.end(principal.tenant, credential.id, by=principal.name))
        return revoked

    async def end(self, tenant: TenantId, id: CredentialId, *, by: str) -> Credential:
        """It no longer counts; ``IllegalTransition`` if that was so already."""

        async def attempt() -> Credential:
            old = await self.credentials.get(tenant, id)
            new = revoke(old, self.clock.now())
            await self.credentials.replace(old, new, [credential_event(REVOKED, new, self.clock.now(), by)])
            return new

        revoked = await until_swapped(attempt, "credential", id)
        self.tell(revoked)
        return revoked

    async def tidy(self, tenant: TenantId) -> None:
        """Forget what ended long ago, from time to time: the trail has what became of it."""
        now = self.clock.now()
        if tenant in self._tidied and now - self._tidied[tenant] < _TIDY_EVERY:
            return
        self._tidied[tenant] = now
        for credential in await self.credentials.list(tenant):
            if ended_before(credential, now - _KEPT):
                with suppress(VersionConflict):  # another replica was faster
                    await self.credentials.remove(
                        credential, [credential_event("credential.forgotten", credential, now, SYSTEM.name)]
                    )

    def tell(self, changed: Credential) -> None:
        """Tell this process at once; the log tells everybody else."""
        for observer in self.observers:
            observer(changed)

    def require_key(self) -> bytes:
        """The installation's; ``NotConfigured`` if it has none."""
        if self.key is None:
            raise NotConfigured("This installation has no key to keep tokens under", hint="set CODETETHER_SECRET_KEY")
        return self.key

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
        provider: str | None = None,
    ) -> tuple[Credential, str]:
        key = self.require_key()
        await self.tidy(principal.tenant)
        if lifetime is not None and lifetime <= timedelta():
            raise Invalid("lifetime", "must be more than nothing")
        now = self.clock.now()
        id = CredentialId(new_id(kind, now, self.entropy.bytes(16)))
        token = Token.new(principal.tenant, id, self.entropy.bytes(SECRET_BYTES))
        credential = Credential(
            id=id,
            tenant=principal.tenant,
            kind=kind,
            name=name,
            owner=owner,
            roles=roles,
            scopes=scopes,
            worker=worker,
            secret=token.hashed(key),
            created_at=now,
            expires_at=None if lifetime is None else now + lifetime,
            provider=provider,
        )
        await self.credentials.add(credential, [credential_event("credential.issued", credential, now, principal.name)])
        await self._confirm(principal, credential)
        return credential, str(token)

    def _lifetime(self, principal: Principal, wanted: timedelta | None) -> timedelta | None:
        """For how long its key lasts; an administrator's own as long as that likes."""
        if principal.provider is None or "admin" in principal.roles:
            return wanted
        if wanted is not None and wanted > self.key_max_age:
            longest = int(self.key_max_age.total_seconds())
            raise Invalid("expires_in", f"must be at most {longest}", hint="issue another key before this one ends")
        return self.key_max_age if wanted is None else wanted

    async def _confirm(self, principal: Principal, issued: Credential) -> None:
        """Whoever ended what the principal showed may not have seen that there was one more to end."""
        if principal.credential is not None:
            try:
                require_active(await self.credentials.get(principal.tenant, principal.credential))
            except Unauthenticated:
                await self.end(issued.tenant, issued.id, by=principal.name)
                raise


def credential_event(kind: str, credential: Credential, at: datetime, by: str) -> Event:
    """What the log says of it: never a secret, nor what is kept of one."""
    data = {"credential_id": credential.id, "name": credential.name, "owner": credential.owner, "by": by}
    return Event(Topic(credential.tenant, CREDENTIALS, credential.id), kind, at, data)


def _reaches(reach: Reach, credential: Credential) -> bool:
    """Whether the principal may see it and take it back; a worker's token is nobody's own."""
    return reach.everybody or (credential.kind is not CredentialKind.WORKER and reach.covers(credential.owner))
