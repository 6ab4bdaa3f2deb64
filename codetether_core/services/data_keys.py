"""The data keys of each tenant, open in memory while they are needed."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Any, Final

from attrs import define, field, frozen

from codetether_core.errors import AlreadyExists, NotFound, Undecipherable
from codetether_core.events import CREDENTIALS, Event, Topic
from codetether_core.ids import TenantId, framed
from codetether_core.ports import DATA_KEY_BYTES, NONCE_BYTES, Cipher, Clock, Entropy, RecordStore
from codetether_core.secrets import DataKey, data_key_id, number_of, rewrapped

__all__ = ["DataKeys", "OpenKey", "data_key_event"]

_MOST: Final = 1000
"""Keys that are open at once."""

_FRESH: Final = timedelta(seconds=10)
"""How long another replica may go on to encrypt under the key before the last."""


@frozen
class OpenKey:
    """A data key that can be used."""

    id: str
    key: bytes = field(repr=False)


@define(eq=False)
class DataKeys:
    """Finds them, makes the first of a tenant when it is needed, and wraps them."""

    store: RecordStore[DataKey]
    cipher: Cipher
    clock: Clock
    entropy: Entropy
    _open: OrderedDict[tuple[TenantId, str], OpenKey] = field(factory=OrderedDict, init=False)
    _last: OrderedDict[TenantId, tuple[OpenKey, datetime]] = field(factory=OrderedDict, init=False)

    async def last(self, tenant: TenantId) -> OpenKey:
        """The one to encrypt under; ``NotConfigured`` if the installation has no key to wrap it with."""
        now = self.clock.now()
        known = self._last.get(tenant)
        if known is not None and now - known[1] < _FRESH:
            return known[0]
        kept = await self.store.list(tenant)
        found = self._opened(kept[-1] if kept else await self._add(tenant, 1))
        _remember(self._last, tenant, (found, now))
        return found

    async def get(self, tenant: TenantId, id: str) -> OpenKey:
        """The one that something was encrypted under; ``Undecipherable`` if the tenant has none of that id."""
        known = self._open.get((tenant, id))
        if known is not None:
            return known
        try:
            return self._opened(await self.store.get(tenant, id))
        except NotFound:
            raise Undecipherable(
                f"The data key {id} is missing, which something here is encrypted with",
                hint="restore it from a backup; what it encrypted cannot be read without it",
                key=id,
            ) from None

    async def add(self, tenant: TenantId, by: str) -> DataKey:
        """A new one, which everything is encrypted under from now on."""
        kept = await self.store.list(tenant)
        made = await self._add(tenant, number_of(kept[-1].id) + 1 if kept else 1, by)
        self._last.pop(tenant, None)
        return made

    def rewrap(self, key: DataKey) -> DataKey:
        """The same key under the installation's present one; it is not written yet."""
        return rewrapped(key, self._wrapped(key.tenant, key.id, self._opened(key).key), self.cipher.key_id)

    async def _add(self, tenant: TenantId, number: int, by: str = "") -> DataKey:
        """Another replica may have been faster: its key is as good as ours."""
        now, id = self.clock.now(), data_key_id(number)
        wrapped = self._wrapped(tenant, id, self.entropy.bytes(DATA_KEY_BYTES))
        made = DataKey(id=id, tenant=tenant, wrapped=wrapped, wrapped_by=self.cipher.key_id, created_at=now)
        try:
            await self.store.add(made, [data_key_event("data_key.added", made, now, by)])
        except AlreadyExists:
            return await self.store.get(tenant, id)
        return made

    def _wrapped(self, tenant: TenantId, id: str, key: bytes) -> str:
        nonce = self.entropy.bytes(NONCE_BYTES)
        return urlsafe_b64encode(self.cipher.wrap(key, _context(tenant, id), nonce)).decode()

    def _opened(self, kept: DataKey) -> OpenKey:
        known = self._open.get((kept.tenant, kept.id))
        if known is None:
            known = OpenKey(kept.id, self._unwrapped(kept))
            _remember(self._open, (kept.tenant, kept.id), known)
        return known

    def _unwrapped(self, kept: DataKey) -> bytes:
        try:
            wrapped = urlsafe_b64decode(kept.wrapped)
        except ValueError:
            wrapped = b""  # which is no more sound than what was changed otherwise
        try:
            return self.cipher.unwrap(kept.wrapped_by, wrapped, _context(kept.tenant, kept.id))
        except Undecipherable as error:
            raise Undecipherable(
                f"The data key {kept.id} of the tenant {kept.tenant} cannot be read with the key {kept.wrapped_by}",
                hint=error.hint,
                key=kept.id,
                tenant=kept.tenant,
            ) from error


def data_key_event(kind: str, key: DataKey, at: datetime, by: str) -> Event:
    """What the log says of one."""
    data = {"data_key_id": key.id, "wrapped_by": key.wrapped_by, **({"by": by} if by else {})}
    return Event(Topic(key.tenant, CREDENTIALS, f"data-key/{key.id}"), kind, at, data)


def _context(tenant: TenantId, id: str) -> bytes:
    return framed("data key", tenant, id)


def _remember(known: OrderedDict[Any, Any], name: Any, value: Any) -> None:
    """In place of the oldest, if there are too many."""
    known[name] = value
    known.move_to_end(name)
    if len(known) > _MOST:
        known.popitem(last=False)
