"""Accounts of an installation without an identity provider: a name, a password, roles.

An account is *enabled* until it is disabled, and can be enabled again. Kept of the password is what an adapter made of
it to recognize it by.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from attrs import evolve, field, frozen

from codetether_core.errors import IllegalTransition
from codetether_core.ids import TenantId

__all__ = ["ACCOUNT_TRANSITIONS", "Account", "AccountState", "given_password", "given_roles", "switch"]


class AccountState(StrEnum):
    """Whether somebody can sign in."""

    ENABLED = "enabled"
    DISABLED = "disabled"


ACCOUNT_TRANSITIONS: Final[Mapping[tuple[AccountState, str], AccountState]] = MappingProxyType(
    {
        (AccountState.ENABLED, "disable"): AccountState.DISABLED,
        (AccountState.DISABLED, "enable"): AccountState.ENABLED,
    }
)


@frozen(kw_only=True)
class Account:
    """Somebody who may sign in; ``id`` is the name under which, and the principal's."""

    id: str
    tenant: TenantId
    roles: frozenset[str]
    password: str = field(repr=False)
    created_at: datetime
    changed_at: datetime
    state: AccountState = AccountState.ENABLED
    version: int = 1


def given_roles(account: Account, roles: frozenset[str], now: datetime) -> Account:
    """Another part to play."""
    return evolve(account, roles=roles, changed_at=now, version=account.version + 1)


def given_password(account: Account, kept: str, now: datetime) -> Account:
    """Another password, as it is kept."""
    return evolve(account, password=kept, changed_at=now, version=account.version + 1)


def switch(account: Account, trigger: str, now: datetime) -> Account:
    """``enable`` or ``disable`` it; ``IllegalTransition`` if that was so already."""
    state = ACCOUNT_TRANSITIONS.get((account.state, trigger))
    if state is None:
        raise IllegalTransition("account", account.id, account.state, trigger)
    return evolve(account, state=state, changed_at=now, version=account.version + 1)
