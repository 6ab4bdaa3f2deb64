"""The registered secrets of each tenant, as what takes them out of text."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

from attrs import define, evolve, field, frozen

from codetether_core.errors import CodeTetherError, Invalid
from codetether_core.events import Event
from codetether_core.ids import TenantId
from codetether_core.ports import Clock, RecordStore
from codetether_core.redaction import NOTHING_HELD, Redactor, reword, rewritten, texts
from codetether_core.secrets import Secret
from codetether_core.services.encryption import Encryption

__all__ = ["Redaction", "cleaned"]

_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)

_MOST: Final = 1000
"""Tenants whose secrets are remembered at once."""

_WORDS_OF_RECORDS: Final = ("resource", "metadata")

_FRESH: Final = timedelta(seconds=2)
"""How long a secret that was registered at another replica may be unknown here."""


@frozen
class _Known:
    sealed: frozenset[tuple[str, str]]
    redactor: Redactor
    checked_at: datetime


@define(eq=False)
class Redaction:
    """Opens secrets to look for them. One that is registered in this process counts from then on."""

    secrets: RecordStore[Secret]
    encryption: Encryption
    clock: Clock
    _known: dict[TenantId, _Known] = field(factory=dict, init=False)
    _changes: int = field(default=0, init=False)

    async def of(self, tenant: TenantId) -> Redactor:
        """Knows the tenant's secrets; ``NotConfigured`` or ``Undecipherable`` if one of them cannot be read."""
        known = self._known.get(tenant)
        if known is not None and self.clock.now() - known.checked_at < _FRESH:
            return known.redactor
        while True:
            changes, now = self._changes, self.clock.now()
            found = await self.secrets.list(tenant)
            sealed = frozenset((each.id, each.sealed) for each in found)  # never twice the same
            known = self._known.get(tenant)
            redactor = known.redactor if known and known.sealed == sealed else await self._opened(found)
            if changes == self._changes:  # else what we found may lack what was registered meanwhile
                if len(self._known) >= _MOST and tenant not in self._known:
                    del self._known[next(iter(self._known))]
                self._known[tenant] = _Known(sealed, redactor, now)
                return redactor

    def cleaned(self, event: Event) -> Event:
        """A record on its way into the trail, by the secrets that are known just now."""
        known = self._known.get(event.topic.tenant)
        if known is None or not known.redactor:
            return event
        words = {name: event.data[name] for name in _WORDS_OF_RECORDS}
        return evolve(event, data={**event.data, **rewritten(words, known.redactor.whole)})

    async def refuse(self, tenant: TenantId, **said: object) -> None:
        """``Invalid`` for the first of these fields, of any shape, that has a secret in it."""
        redactor = await self.of(tenant)
        if redactor:
            for field, value in said.items():
                for text in texts(value):
                    if found := redactor.find(text):
                        raise Invalid(
                            field,
                            f"has a registered secret in it ({found})",
                            hint="leave it out; a run is handed secrets in its environment",
                            code="secret_in_text",
                        )

    @asynccontextmanager
    async def of_errors(self, tenant: TenantId) -> AsyncGenerator[None, None]:
        """What is raised within quotes others: it leaves without the tenant's secrets. The errors of ``of`` instead."""
        try:
            yield
        except CodeTetherError as error:
            reword(error, (await self.of(tenant)).whole)
            raise

    def forget(self, tenant: TenantId) -> None:
        """Something was registered, or removed: ask again, but look for what is known until then."""
        self._changes += 1
        if known := self._known.get(tenant):
            self._known[tenant] = evolve(known, checked_at=_LONG_AGO)

    def known(self) -> Iterable[Redactor]:
        """All that were asked for, for what belongs to no tenant."""
        return [known.redactor for known in self._known.values() if known.redactor]

    async def value(self, secret: Secret) -> str:
        """The secret itself."""
        return (await self.encryption.decrypt(secret.tenant, secret.sealed, "secret", secret.id)).decode()

    async def sealed(self, tenant: TenantId, name: str, value: str) -> str:
        """What is kept of one."""
        return await self.encryption.encrypt(tenant, value.encode(), "secret", name)

    async def _opened(self, secrets: Iterable[Secret]) -> Redactor:
        return Redactor.of({each.id: await self.value(each) for each in secrets})


async def cleaned(redactor: Redactor, data: bytes | AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """The bytes without the secrets that are among them, wherever the chunks are cut."""
    of_bytes, held = redactor.of_bytes(), NOTHING_HELD
    async for chunk in _chunks(data):
        text, held = of_bytes.feed(held, chunk.decode("latin-1"))
        if text:
            yield text.encode("latin-1")
    if rest := of_bytes.end(held):
        yield rest.encode("latin-1")


async def _chunks(data: bytes | AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    if isinstance(data, bytes):
        yield data
    else:
        async for chunk in data:
            yield chunk
