"""Sessions and their messages in Redis, in their codebase's shard."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from codetether_adapters.redis.documents import ABSENT, ANY, Document, Place, Sweep
from codetether_adapters.redis.encoding import MOMENT_BYTES, decoded, document, sortable
from codetether_adapters.redis.keys import framed
from codetether_adapters.redis.merging import merged
from codetether_adapters.redis.reader import Reader, Row
from codetether_adapters.redis.writer import CONFLICT, EXISTS, Writer
from codetether_adapters.tail import encoded
from codetether_core.errors import Erased, NotFound, VersionConflict
from codetether_core.events import Event
from codetether_core.ids import CodebaseId, SessionId, TenantId
from codetether_core.ports import SessionQuery
from codetether_core.sessions import Session, SessionMessage

__all__ = ["RedisSessions"]

_EVERYTHING: Final = 2**31
_QUIET: Final = "sessions-quiet"
_GONE: Final = "erased"
"""The version of the mark in the place of a session that was erased."""


class RedisSessions:
    """All sessions of one store (a ``SessionStore``)."""

    def __init__(self, writer: Writer, reader: Reader) -> None:
        self._writer = writer
        self._reader = reader

    async def put(
        self,
        old: Session | None,
        new: Session,
        messages: Sequence[SessionMessage] = (),
        events: Sequence[Event] = (),
        *,
        forget: Collection[str] = (),
    ) -> None:
        """Swap the session, and write its messages whatever there was of them."""
        entries = encoded(events)
        written = [
            _session_document(old, new),
            *(_forgotten(new, id) for id in forget),
            *(_message_document(new, message) for message in messages),
        ]
        shard = self._reader.layout.of_scope(new.tenant, new.codebase)
        outcome = await self._writer.write(shard, written, entries)
        if outcome.status in (CONFLICT, EXISTS):
            if await self._is_erased(new.tenant, new.codebase, new.id):
                raise Erased("session", new.id)
            raise VersionConflict("The session was changed meanwhile", id=new.id)

    async def erase(
        self,
        tenant: TenantId,
        codebase: CodebaseId,
        id: SessionId,
        *,
        version: int | None,
        events: Sequence[Event] = (),
    ) -> None:
        """Leave a mark in its place, and none of its messages."""
        whose = framed(tenant, codebase, id)
        mark = Document(
            key=f"{_documents(tenant)}{_name(codebase, id)}",
            expected=ABSENT if version is None else str(version),
            version=_GONE,
            fields={"body": "", "title": ""},
            places=[(_erased(tenant), _name(codebase, id), "", "")],
        )
        swept = [Sweep(f"messages-of:{whose}", MOMENT_BYTES, f"sm:{whose}")]
        shard = self._reader.layout.of_scope(tenant, codebase)
        outcome = await self._writer.write(shard, [mark], encoded(events), sweeps=swept)
        if outcome.status in (CONFLICT, EXISTS) and not await self._is_erased(tenant, codebase, id):
            raise VersionConflict("The session was changed meanwhile", id=id)

    async def erased(self, tenant: TenantId) -> Sequence[tuple[CodebaseId, SessionId]]:
        """By the index of the marks."""

        async def page(shard: int, offset: int, limit: int) -> tuple[int, list[Row]]:
            return await self._reader.page(shard, [_erased(tenant)], "", (), offset=offset, limit=limit)

        _, rows = await merged(self._reader.layout.every, page, offset=0, limit=_EVERYTHING)
        names = [member.decode().partition("\x00") for (member,) in rows]
        return [(CodebaseId(codebase), SessionId(id)) for codebase, _, id in names]

    async def get(self, tenant: TenantId, codebase: CodebaseId, id: SessionId) -> Session:
        """By key."""
        shard = self._reader.layout.of_scope(tenant, codebase)
        (body,) = await self._reader.fields(shard, f"{_documents(tenant)}{_name(codebase, id)}", "body")
        if not body:
            raise NotFound("session", id)
        return decoded(Session, body)

    async def list(self, tenant: TenantId, query: SessionQuery) -> tuple[Sequence[Session], int]:
        """By the index of what was updated last; the titles are looked through when there is a text to find."""
        layout = self._reader.layout
        index = _index(tenant, query.codebase)
        shards = layout.every if query.codebase is None else (layout.of_scope(tenant, query.codebase),)

        async def page(shard: int, offset: int, limit: int) -> tuple[int, list[Row]]:
            return await self._reader.page(
                shard,
                [index],
                _documents(tenant),
                ("body", "title"),
                offset=offset,
                limit=limit,
                rank=MOMENT_BYTES,
                backwards=True,
            )

        if not query.text:
            total, rows = await merged(shards, page, offset=query.after, limit=query.limit, backwards=True)
            return [decoded(Session, body) for _, body, _ in rows if body is not None], total
        text = query.text.casefold().encode()
        _, rows = await merged(shards, page, offset=0, limit=_EVERYTHING, backwards=True)
        found = [body for _, body, title in rows if title is not None and text in title]
        return [decoded(Session, body) for body in found[query.after : query.after + query.limit]], len(found)

    async def walk(
        self, tenant: TenantId, *, after: tuple[CodebaseId, SessionId] | None = None, limit: int
    ) -> Sequence[Session]:
        """By the index of names."""
        layout, begin = self._reader.layout, "" if after is None else _name(*after)

        async def page(shard: int, offset: int, limit: int) -> tuple[int, list[Row]]:
            return await self._reader.page(
                shard, [_names(tenant)], _documents(tenant), ("body",), offset=offset, limit=limit, after=begin
            )

        _, rows = await merged(layout.every, page, offset=0, limit=limit)
        return [decoded(Session, body) for _, body in rows if body is not None]

    async def quiet(self, before: datetime, limit: int) -> Sequence[Session]:
        """By each shard's index of them."""
        found: list[Session] = []
        for shard in self._reader.layout.every:
            left = limit - len(found)
            bound = sortable(before)
            _, rows = await self._reader.page(
                shard, [_QUIET], "s:", ("body",), limit=left, rank=MOMENT_BYTES, until=bound
            )
            found += [decoded(Session, body) for _, body in rows if body is not None]
        return found

    async def messages(
        self, tenant: TenantId, codebase: CodebaseId, id: SessionId, *, limit: int, after: int = 0
    ) -> tuple[Sequence[SessionMessage], int]:
        """By the index of their creation."""
        total, rows = await self._reader.page(
            self._reader.layout.of_scope(tenant, codebase),
            [f"messages-of:{framed(tenant, codebase, id)}"],
            f"sm:{framed(tenant, codebase, id)}",
            ("body",),
            offset=after,
            limit=limit,
            rank=MOMENT_BYTES,
        )
        return [decoded(SessionMessage, body) for _, body in rows if body is not None], total

    async def _is_erased(self, tenant: TenantId, codebase: CodebaseId, id: SessionId) -> bool:
        shard = self._reader.layout.of_scope(tenant, codebase)
        (version,) = await self._reader.fields(shard, f"{_documents(tenant)}{_name(codebase, id)}", "version")
        return bool(version == _GONE.encode())


def _session_document(old: Session | None, new: Session) -> Document:
    member = f"{sortable(new.updated_at)}{_name(new.codebase, new.id)}"
    places: list[Place] = [(_index(new.tenant, codebase), member, "", "") for codebase in (None, new.codebase)]
    places.append((_names(new.tenant), _name(new.codebase, new.id), "", ""))
    if new.quiet_since is not None:
        whose = f"{framed(new.tenant)}{_name(new.codebase, new.id)}"
        places.append((_QUIET, f"{sortable(new.quiet_since)}{whose}", "", ""))
    return Document(
        key=f"{_documents(new.tenant)}{_name(new.codebase, new.id)}",
        expected=ABSENT if old is None else str(old.version),
        version=str(new.version),
        fields={"body": document(new), "title": new.title.casefold()},
        places=places,
    )


def _message_document(session: Session, message: SessionMessage) -> Document:
    whose = framed(session.tenant, session.codebase, session.id)
    return Document(
        key=f"sm:{whose}{message.id}",
        expected=ANY,
        version="1",
        fields={"body": document(message)},
        places=[(f"messages-of:{whose}", f"{sortable(message.created_at)}{message.id}", "", "")],
    )


def _forgotten(session: Session, id: str) -> Document:
    whose = framed(session.tenant, session.codebase, session.id)
    return Document(key=f"sm:{whose}{id}", expected=ANY, version="")


def _documents(tenant: TenantId) -> str:
    return f"s:{framed(tenant)}"


def _name(codebase: CodebaseId, id: SessionId) -> str:
    """Both, so that they sort as the two do, one after the other."""
    return f"{codebase}\x00{id}"


def _index(tenant: TenantId, codebase: CodebaseId | None) -> str:
    return f"sessions:{framed(tenant) if codebase is None else framed(tenant, codebase)}"


def _names(tenant: TenantId) -> str:
    return f"sessions-by-name:{framed(tenant)}"


def _erased(tenant: TenantId) -> str:
    return f"sessions-erased:{framed(tenant)}"
