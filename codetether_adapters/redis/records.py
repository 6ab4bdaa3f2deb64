"""Codebases, workers and agents in Redis, compared and swapped by version. A tenant's of one kind are in one shard."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Generic, TypeVar

from attrs import frozen

from codetether_adapters.redis.documents import ABSENT, Document
from codetether_adapters.redis.encoding import decoded, document
from codetether_adapters.redis.keys import framed
from codetether_adapters.redis.reader import Reader
from codetether_adapters.redis.writer import CONFLICT, EXISTS, Writer
from codetether_adapters.tail import encoded
from codetether_core.agents import Agent
from codetether_core.codebases import Codebase
from codetether_core.errors import AlreadyExists, NotFound, VersionConflict
from codetether_core.events import CODEBASES, Event
from codetether_core.ids import TenantId, digest
from codetether_core.ports import Versioned
from codetether_core.workers import Worker

__all__ = ["RedisCodebases", "RedisDirectory", "RedisRecords"]

V = TypeVar("V", bound=Versioned)

_EVERYTHING: Final = 2**31


class RedisRecords(Generic[V]):
    """The values of one kind (a ``RecordStore``); ``scope`` is that of their events, whose shard they share."""

    def __init__(self, type: type[V], kind: str, scope: str, writer: Writer, reader: Reader) -> None:
        self._type = type
        self._kind = kind
        self._scope = scope
        self._writer = writer
        self._reader = reader

    async def add(self, value: V, events: Sequence[Event] = ()) -> None:
        """Put it where there is none."""
        await self._write(self._document(value, ABSENT), value, events)

    async def get(self, tenant: TenantId, id: str) -> V:
        """By key."""
        (body,) = await self._reader.fields(self._shard(tenant), f"{self._documents(tenant)}{id}", "body")
        if body is None:
            raise NotFound(self._kind, id)
        return decoded(self._type, body)

    async def replace(self, old: V, new: V, events: Sequence[Event] = ()) -> None:
        """Swap it."""
        await self._write(self._document(new, str(old.version)), new, events)

    async def remove(self, old: V, events: Sequence[Event] = ()) -> None:
        """Take it away."""
        gone = Document(
            key=f"{self._documents(old.tenant)}{old.id}",
            expected=str(old.version),
            version="",
            index=self._aliases(old.tenant),
        )
        await self._write(gone, old, events)

    async def list(self, tenant: TenantId) -> Sequence[V]:
        """By the index of ids."""
        _, rows = await self._reader.page(
            self._shard(tenant), [self._index(tenant)], self._documents(tenant), ("body",), limit=_EVERYTHING
        )
        return [decoded(self._type, body) for _, body in rows if body is not None]

    async def _write(self, written: Document, value: V, events: Sequence[Event]) -> None:
        outcome = await self._writer.write(self._shard(value.tenant), [written], encoded(events))
        if outcome.status == EXISTS:
            raise AlreadyExists(self._kind, value.id)
        if outcome.status == CONFLICT:
            raise VersionConflict(f"The {self._kind} was changed meanwhile", id=value.id)

    def _document(self, value: V, expected: str) -> Document:
        return Document(
            key=f"{self._documents(value.tenant)}{value.id}",
            expected=expected,
            version=str(value.version),
            fields={"body": document(value)},
            places=[(self._index(value.tenant), value.id, "", "")],
            index=self._aliases(value.tenant),
            claim=self._alias(value),
        )

    def _shard(self, tenant: TenantId) -> int:
        return self._reader.layout.of_scope(tenant, self._scope)

    def _documents(self, tenant: TenantId) -> str:
        return f"r:{self._kind}:{framed(tenant)}"

    def _index(self, tenant: TenantId) -> str:
        return f"records:{self._kind}:{tenant}"

    def _aliases(self, tenant: TenantId) -> str:
        return f"aliases:{self._kind}:{tenant}"

    def _alias(self, value: V) -> str:
        """What must be unique besides the id, if anything."""
        return ""


class RedisCodebases(RedisRecords[Codebase]):
    """Codebases (a ``CodebaseStore``)."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        super().__init__(Codebase, "codebase", CODEBASES, writer, reader)

    async def find(self, tenant: TenantId, name: str, path: str) -> Codebase | None:
        """By the index of names and paths."""
        shard = self._shard(tenant)
        (key,) = await self._reader.fields(shard, self._aliases(tenant), digest(name, path))
        if key is None:
            return None
        prefix = self._reader.layout.key(shard)
        claim, body = await self._reader.fields(shard, key.decode().removeprefix(prefix), "claim", "body")
        # It may have moved on between the two looks.
        return decoded(Codebase, body) if claim == digest(name, path).encode() else None

    def _alias(self, value: Codebase) -> str:
        return digest(value.name, value.path)


@frozen
class RedisDirectory:
    """The two registries (a ``Directory``)."""

    workers: RedisRecords[Worker]
    agents: RedisRecords[Agent]
