"""Signing in with a name and a password, staying signed in, signing out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from attrs import field, frozen

from codetether_core.access import (
    ACCESS,
    RENEWING_BYTES,
    SECRET_BYTES,
    SIGN_IN,
    VOUCHED,
    Account,
    AccountState,
    Credential,
    CredentialKind,
    Principal,
    RenewalSpent,
    Secrets,
    Token,
    renew,
)
from codetether_core.errors import Conflict, NotConfigured, NotFound, Unauthenticated
from codetether_core.ids import CredentialId, TenantId, new_id
from codetether_core.ports import Clock, Entropy, Passwords, RecordStore
from codetether_core.services.issuing import RENEWED, Issuing, credential_event
from codetether_core.services.swapping import until_swapped

__all__ = ["SignedIn", "SigningIn"]


@frozen
class SignedIn:
    """A sign-in, the token for requests, and the one that renews both; told this once."""

    credential: Credential
    access: str = field(repr=False)
    renewal: str = field(repr=False)


@frozen
class SigningIn:
    """Sign-ins; without ``passwords`` nobody has one."""

    accounts: RecordStore[Account]
    issuing: Issuing
    passwords: Passwords | None
    clock: Clock
    entropy: Entropy

    @property
    def available(self) -> bool:
        """Whether names and passwords are of any use here."""
        return self.passwords is not None and self.issuing.key is not None

    async def sign_in(
        self, tenant: TenantId, name: str, password: str, device: Mapping[str, str] | None = None
    ) -> SignedIn:
        """``Unauthenticated`` for a name or a password that is wrong, which is not told, and takes as long to find."""
        passwords, key = self._means()
        try:
            account = await self.accounts.get(tenant, name)
        except NotFound:
            account = None
        right = await passwords.matches(password, account.password if account else None)
        if account is None or not right or account.state is not AccountState.ENABLED:
            raise Unauthenticated("Name or password is wrong")
        told = await self._begin(tenant, account.id, account.roles, SIGN_IN, device or {}, key)
        await self._confirm(account, told.credential)
        return told

    async def knows(self, tenant: TenantId, name: str) -> bool:
        """Whether there is such an account; never to be told to who asks."""
        try:
            await self.accounts.get(tenant, name)
        except NotFound:
            return False
        return True

    async def exchange(self, principal: Principal, device: Mapping[str, str] | None = None) -> SignedIn:
        """A sign-in for somebody whom an identity provider vouches for, in place of its token.

        It lasts for a working day: what changes at the provider meanwhile is not known here. ``Conflict`` for who shows
        anything else.
        """
        if principal.credential is not None or principal.provider is None:
            raise Conflict("This token is not of an identity provider", hint="it is as good as a sign-in")
        key = self.issuing.require_key()
        return await self._begin(
            principal.tenant, principal.name, principal.roles, VOUCHED, device or {}, key, principal.provider
        )

    async def _begin(
        self,
        tenant: TenantId,
        owner: str,
        roles: frozenset[str],
        lifetime: timedelta,
        device: Mapping[str, str],
        key: bytes,
        provider: str | None = None,
    ) -> SignedIn:
        await self.issuing.tidy(tenant)
        now = self.clock.now()
        id = CredentialId(new_id(CredentialKind.SIGN_IN, now, self.entropy.bytes(16)))
        access, renewal = self._tokens(tenant, id, key)
        credential = Credential(
            id=id,
            tenant=tenant,
            kind=CredentialKind.SIGN_IN,
            name=device.get("name", ""),
            owner=owner,
            roles=roles,
            secret=access.hashed(key),
            created_at=now,
            expires_at=now + ACCESS,
            renewal=renewal.hashed(key),
            renewed_at=now,
            ends_at=now + lifetime,
            device=device,
            provider=provider,
        )
        await self.issuing.credentials.add(credential, [credential_event("credential.issued", credential, now, owner)])
        return SignedIn(credential, str(access), str(renewal))

    async def renew(self, text: str) -> SignedIn:
        """Both tokens anew, for the one that renews; ``Unauthenticated`` if it does not, or no longer."""
        key = self.issuing.require_key()
        token = Token.parse(text)
        if token is None:
            raise Unauthenticated("Invalid token")
        access, renewal = self._tokens(token.tenant, token.id, key)
        fresh = Secrets(access.hashed(key), renewal.hashed(key))

        async def attempt() -> Credential:
            try:
                old = await self.issuing.credentials.get(token.tenant, token.id)
            except NotFound:
                raise Unauthenticated("Invalid token") from None
            now = self.clock.now()
            new = renew(old, token, key, now, fresh)
            await self.issuing.credentials.replace(old, new, [credential_event(RENEWED, new, now, new.owner)])
            return new

        try:
            credential = await until_swapped(attempt, "credential", token.id)
        except RenewalSpent:
            await self.issuing.end(token.tenant, token.id, by="a token that was used before")
            raise
        self.issuing.tell(credential)
        return SignedIn(credential, str(access), str(renewal))

    async def sign_out(self, principal: Principal) -> Credential:
        """End the sign-in that the principal shows; ``Conflict`` for one who shows something else."""
        if principal.credential is None or principal.delegated:
            raise Conflict("This token is no sign-in", hint="codetether token revoke takes keys back")
        return await self.issuing.end(principal.tenant, principal.credential, by=principal.name)

    async def present(self, principal: Principal) -> Credential:
        """The sign-in that the principal shows; ``NotFound`` for one who shows something else."""
        if principal.credential is None or principal.delegated:
            raise NotFound("sign_in", principal.credential or "", hint="this token is no sign-in")
        return await self.issuing.credentials.get(principal.tenant, principal.credential)

    async def list(self, principal: Principal) -> Sequence[Credential]:
        """Where the principal is signed in, latest first."""
        now = self.clock.now()
        return [
            each
            for each in await self.issuing.active(principal.tenant, principal.name)
            if each.kind is CredentialKind.SIGN_IN and each.ends_at is not None and now < each.ends_at
        ]

    async def _confirm(self, account: Account, credential: Credential) -> None:
        """Whoever changed the account meanwhile may not have seen that there was one more sign-in to end."""
        try:
            present = await self.accounts.get(account.tenant, account.id)
        except NotFound:
            present = None
        if present != account:
            await self.issuing.end(credential.tenant, credential.id, by=credential.owner)
            raise Unauthenticated("The account was changed meanwhile", hint="sign in again")

    def _means(self) -> tuple[Passwords, bytes]:
        key = self.issuing.require_key()
        if self.passwords is None:
            raise NotConfigured("This installation has no accounts", hint="sign in with a token")
        return self.passwords, key

    def _tokens(self, tenant: TenantId, id: CredentialId, key: bytes) -> tuple[Token, Token]:
        access = Token.new(tenant, id, self.entropy.bytes(SECRET_BYTES))
        return access, Token.renewing(tenant, id, self.entropy.bytes(RENEWING_BYTES), key)
