"""Which keys of the installation a tenant's values depend on, and how to be rid of one."""

from __future__ import annotations

from collections import Counter
from functools import partial

from attrs import frozen

from codetether_core.access import Principal
from codetether_core.ids import TenantId
from codetether_core.ports import Cipher, Clock, RecordStore
from codetether_core.secrets import DataKey
from codetether_core.services.data_keys import DataKeys, data_key_event
from codetether_core.services.swapping import until_swapped

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
    """How many data keys came under the present key, and the data key that was made, if any."""

    rewrapped: int
    added: str | None


@frozen
class Rotating:
    """Has data keys come under another key of the installation, and makes new ones."""

    keys: DataKeys
    store: RecordStore[DataKey]
    cipher: Cipher
    clock: Clock
    at_rest: bool

    async def in_use(self, tenant: TenantId) -> KeysInUse:
        """What is there now."""
        kept = await self.store.list(tenant)
        counts, known = Counter(key.wrapped_by for key in kept), self.cipher.key_ids
        uses = [KeyUse(id=id, data_keys=counts[id], available=id in known) for id in sorted({*counts, *known})]
        return KeysInUse(
            at_rest=self.at_rest, key=self.cipher.key_id, data_key=kept[-1].id if kept else "", keys=tuple(uses)
        )

    async def rotate(self, principal: Principal, *, data_key: bool = False) -> Rotated:
        """Have every data key come under the present key, and with ``data_key`` encrypt under a new one from now on.

        Cut short it may be done again. ``NotConfigured`` names a key of the installation that is missing.
        """
        rewrapped = 0
        for kept in await self.store.list(principal.tenant):
            rewrapped += await until_swapped(partial(self._rewrap, principal, kept.id), "data key", kept.id)
        added = (await self.keys.add(principal.tenant, principal.name)).id if data_key else None
        return Rotated(rewrapped=rewrapped, added=added)

    async def _rewrap(self, principal: Principal, id: str) -> bool:
        old = await self.store.get(principal.tenant, id)
        if old.wrapped_by == self.cipher.key_id:
            return False
        new = self.keys.rewrap(old)
        event = data_key_event("data_key.rewrapped", new, self.clock.now(), principal.name)
        await self.store.replace(old, new, [event])
        return True
