"""Which keys of the installation a tenant's values depend on, and how to be rid of one.

Data keys are each tenant's own, what they are wrapped in is the installation's: it is exchanged for all tenants at once
by an administrator of the tenant that the installation's own tokens are of, who is told of the others what is damaged.
"""

from __future__ import annotations

from collections import Counter
from functools import partial

from attrs import frozen

from codetether_core.access import DEFAULT_TENANT, Principal
from codetether_core.audit import SYSTEM_ACTOR
from codetether_core.errors import Invalid, NotConfigured, PermissionDenied, Undecipherable
from codetether_core.ids import TenantId
from codetether_core.ports import AuditLog, Cipher, Clock, RecordStore
from codetether_core.secrets import DataKey
from codetether_core.services.data_keys import DataKeys, data_key_event
from codetether_core.services.swapping import until_swapped
from codetether_core.services.tenants import tenants_of

__all__ = ["KeyUse", "KeysInUse", "Rotated", "Rotating"]


@frozen(kw_only=True)
class KeyUse:
    """A key of the installation: how many data keys are under it, and whether it is at hand."""

    id: str
    data_keys: int
    available: bool


@frozen(kw_only=True)
class KeysInUse:
    """``key`` is the one that data keys come under from now on, ``data_key`` the last of these; empty for none.

    ``at_rest`` says whether all that people and agents write is encrypted.
    """

    at_rest: bool
    key: str
    data_key: str
    keys: tuple[KeyUse, ...]


@frozen(kw_only=True)
class Rotated:
    """How many data keys of how many tenants came under the present key, and the data key that was made, if any."""

    rewrapped: int
    added: str | None
    tenants: int = 1


@frozen
class Rotating:
    """Has data keys come under another key of the installation, and makes new ones."""

    keys: DataKeys
    store: RecordStore[DataKey]
    cipher: Cipher
    clock: Clock
    trail: AuditLog
    at_rest: bool

    async def in_use(self, tenant: TenantId) -> KeysInUse:
        """What is there now."""
        kept = await self.store.list(tenant)
        counts, known = Counter(key.wrapped_by for key in kept), self.cipher.key_ids
        uses = [KeyUse(id=id, data_keys=counts[id], available=id in known) for id in sorted({*counts, *known})]
        return KeysInUse(
            at_rest=self.at_rest, key=self.cipher.key_id, data_key=kept[-1].id if kept else "", keys=tuple(uses)
        )

    async def rotate(self, principal: Principal, *, data_key: bool = False, all_tenants: bool = False) -> Rotated:
        """Have every data key come under the present key, and with ``data_key`` encrypt under a new one from now on;
        or, ``all_tenants``, have those of all come under it.

        Cut short it may be done again. ``NotConfigured`` names a key of the installation that is missing,
        ``Undecipherable`` a data key that is damaged: the first, once all others are done. ``PermissionDenied`` for all
        tenants to whom they are no concern of, ``Invalid`` for both wishes at once.
        """
        if all_tenants and data_key:
            raise Invalid("data_key", "is each tenant's own affair", hint="rotate for all tenants without it")
        if all_tenants and principal.tenant != DEFAULT_TENANT:
            raise PermissionDenied(
                "All tenants are the concern of the installation's administrators",
                hint=f"ask one who is of the tenant {DEFAULT_TENANT}",
            )
        tenants = await tenants_of(self.trail) if all_tenants else [principal.tenant]
        rewrapped, failed = 0, list[NotConfigured | Undecipherable]()
        for tenant in tenants:
            for kept in await self.store.list(tenant):
                try:
                    rewrapped += await until_swapped(partial(self._rewrap, principal, kept), "data key", kept.id)
                except (NotConfigured, Undecipherable) as error:
                    failed.append(error)
        if failed:
            raise failed[0]
        added = (await self.keys.add(principal.tenant, principal.name)).id if data_key else None
        return Rotated(rewrapped=rewrapped, added=added, tenants=len(tenants))

    async def _rewrap(self, principal: Principal, kept: DataKey) -> bool:
        old = await self.store.get(kept.tenant, kept.id)
        if old.wrapped_by == self.cipher.key_id:
            return False
        new = self.keys.rewrap(old)
        by = principal.name if kept.tenant == principal.tenant else SYSTEM_ACTOR.name
        event = data_key_event("data_key.rewrapped", new, self.clock.now(), by)
        await self.store.replace(old, new, [event])
        return True
