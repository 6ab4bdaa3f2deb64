"""Accounts: who may sign in with a password, and as what."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final

from attrs import frozen

from codetether_core.access import (
    ROLES,
    Account,
    AccountState,
    Credential,
    CredentialKind,
    Principal,
    given_password,
    given_roles,
    refuse_delegated,
    switch,
)
from codetether_core.errors import Conflict, Invalid, NotConfigured, Unauthenticated
from codetether_core.events import CREDENTIALS, Event, Topic
from codetether_core.ports import Clock, Passwords, RecordStore
from codetether_core.services.issuing import Issuing
from codetether_core.services.swapping import until_swapped

__all__ = ["Accounts"]

_SHORTEST, _LONGEST = 10, 1000
_LONGEST_NAME: Final = 100


@frozen
class Accounts:
    """What an administrator does with them, and everybody with the own password."""

    accounts: RecordStore[Account]
    issuing: Issuing
    passwords: Passwords | None
    clock: Clock

    async def add(self, principal: Principal, name: str, password: str, roles: frozenset[str]) -> Account:
        """Somebody new; ``AlreadyExists`` if the name is taken, ``Invalid`` for what cannot be one."""
        refuse_delegated(principal, "makes and changes no accounts")
        if not 1 <= len(name) <= _LONGEST_NAME or not name.isprintable() or name != name.strip() or "/" in name:
            raise Invalid("name", f"must have 1 to {_LONGEST_NAME} printable characters, and no slash")
        now = self.clock.now()
        account = Account(
            id=name,
            tenant=principal.tenant,
            roles=_known(roles),
            password=await self._kept(password),
            created_at=now,
            changed_at=now,
        )
        await self.accounts.add(account, [_event("account.added", account, principal, now)])
        return account

    async def find(self, principal: Principal, name: str) -> Account:
        """One; ``NotFound``."""
        return await self.accounts.get(principal.tenant, name)

    def check(self, roles: frozenset[str] | None, password: str | None) -> None:
        """``Invalid`` for what an account cannot have."""
        if roles is not None:
            _known(roles)
        if password is not None:
            _fit(password)

    async def list(self, principal: Principal) -> Sequence[Account]:
        """All of the tenant's, by name."""
        return await self.accounts.list(principal.tenant)

    async def set_roles(self, principal: Principal, name: str, roles: frozenset[str]) -> Account:
        """Another part to play, from the next sign-in on; those that there are end, and keys that may more."""
        refuse_delegated(principal, "makes and changes no accounts")
        _known(roles)
        account = await self._change(
            principal, name, "account.changed", lambda old: given_roles(old, roles, self.clock.now())
        )
        await self._end(principal, name, lambda each: _is_sign_in(each) or not each.roles <= roles)
        return account

    async def set_password(self, principal: Principal, name: str, password: str) -> Account:
        """Another password; sign-ins that there are end."""
        refuse_delegated(principal, "makes and changes no accounts")
        kept = await self._kept(password)
        account = await self._change(
            principal, name, "account.password_changed", lambda old: given_password(old, kept, self.clock.now())
        )
        await self._end(principal, name, _is_sign_in)
        return account

    async def change_own_password(self, principal: Principal, old: str, new: str) -> Account:
        """``Unauthenticated`` unless the old one is right; the principal is to sign in anew everywhere."""
        account = await self.accounts.get(principal.tenant, principal.name)
        if principal.delegated or len(old) > _LONGEST or not await self._means().matches(old, account.password):
            raise Unauthenticated("The password is wrong")
        return await self.set_password(principal, account.id, new)

    async def switch(self, principal: Principal, name: str, *, enabled: bool) -> Account:
        """Let somebody sign in again, or no longer: then all that the name opened ends."""
        if enabled:
            refuse_delegated(principal, "makes and changes no accounts")
        trigger = "enable" if enabled else "disable"
        account = await self.accounts.get(principal.tenant, name)
        if (account.state is AccountState.ENABLED) is not enabled:
            account = await self._change(
                principal, name, f"account.{trigger}d", lambda old: switch(old, trigger, self.clock.now())
            )
        if not enabled:
            await self._end(principal, name, lambda each: True)
        return account

    async def remove(self, principal: Principal, name: str) -> None:
        """Forget somebody; what was done under the name stays."""
        account = await self.accounts.get(principal.tenant, name)
        await self.accounts.remove(account, [_event("account.removed", account, principal, self.clock.now())])
        await self._end(principal, name, lambda each: True)

    async def _end(self, principal: Principal, name: str, which: Callable[[Credential], bool]) -> None:
        """Until there is none: somebody may be issued one more by another that is about to end."""
        while found := [each for each in await self.issuing.active(principal.tenant, name) if which(each)]:
            for credential in found:
                with suppress(Conflict):  # somebody else ended it
                    await self.issuing.end(principal.tenant, credential.id, by=principal.name)

    async def _change(self, principal: Principal, name: str, kind: str, verb: Callable[[Account], Account]) -> Account:
        async def attempt() -> Account:
            old = await self.accounts.get(principal.tenant, name)
            new = verb(old)
            await self.accounts.replace(old, new, [_event(kind, new, principal, new.changed_at)])
            return new

        return await until_swapped(attempt, "account", name)

    async def _kept(self, password: str) -> str:
        _fit(password)
        return await self._means().hashed(password)

    def _means(self) -> Passwords:
        if self.passwords is None:
            raise NotConfigured("This installation has no accounts", hint="sign in with a token")
        return self.passwords


def _event(kind: str, account: Account, principal: Principal, at: datetime) -> Event:
    """What the log says of it: never a password, nor what is kept of one."""
    data = {"account_id": account.id, "roles": sorted(account.roles), "by": principal.name}
    return Event(Topic(account.tenant, CREDENTIALS, f"account/{account.id}"), kind, at, data)


def _fit(password: str) -> None:
    if not _SHORTEST <= len(password) <= _LONGEST:
        raise Invalid("password", f"must have {_SHORTEST} to {_LONGEST} characters")


def _known(roles: frozenset[str]) -> frozenset[str]:
    if not roles or not roles <= ROLES.keys():
        raise Invalid("roles", f"must be some of {', '.join(sorted(ROLES))}")
    return roles


def _is_sign_in(credential: Credential) -> bool:
    return credential.kind is CredentialKind.SIGN_IN
