"""Sessions that nobody goes on with: their messages leave the store for a blob, and are read as if they had not.

A transcript has one message a line, as JSON. A session that is told of again has messages in the store again, and of
two with one id the later telling counts; once it is quiet, all of them are filed anew. Readers look into the store
first and at the session after that: what leaves the store meanwhile is in its transcript by then.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import Final

from attrs import evolve, frozen

from codetether_core import codec
from codetether_core.errors import Erased, NotFound, VersionConflict
from codetether_core.ids import CodebaseId, SessionId, TenantId
from codetether_core.ports import BlobStore, SessionStore
from codetether_core.services.leaving import Leaving
from codetether_core.services.log_lines import compressed, decompressed
from codetether_core.sessions import Session, SessionMessage

__all__ = ["Transcripts"]

_EVERYTHING: Final = 2**31 - 1


@frozen
class Transcripts:
    """Files messages away, and reads them wherever they are."""

    sessions: SessionStore
    blobs: BlobStore
    leaving: Leaving

    async def messages(
        self, tenant: TenantId, codebase: CodebaseId, id: SessionId, *, limit: int, after: int = 0
    ) -> tuple[Sequence[SessionMessage], int]:
        """A page of a session's messages in order of creation, and how many there are; none if it is unknown."""
        page = await self.sessions.messages(tenant, codebase, id, limit=limit, after=after)
        try:
            session = await self.sessions.get(tenant, codebase, id)
        except NotFound:
            return page
        if session.transcript is None:
            return page
        kept = await self._kept(session)
        found = await self._all(await self.sessions.get(tenant, codebase, id), kept)
        return found[after : after + limit], len(found)

    async def file(self, before: datetime, limit: int) -> bool:
        """File up to ``limit`` sessions that are quiet since before that moment; whether to go on with more."""
        quiet, done = await self.sessions.quiet(before, limit), 0
        for session in quiet:
            kept = await self._kept(session)
            try:
                told = await self._all(session, kept)
            except NotFound:  # the transcript it had is gone: what it was told of since stays where it is
                continue
            transcript = await self.blobs.put(session.tenant, compressed(_lines(told)))
            filed = evolve(session, transcript=transcript, loose=False, version=session.version + 1)
            try:
                await self.sessions.put(session, filed, forget=[message.id for message in kept])
            except VersionConflict:  # somebody goes on with it, or another replica was faster
                continue
            except Erased:
                await self.leaving.note(session.tenant, session.codebase, [transcript], session=session.id)
                continue
            done += 1
        return done > 0 and len(quiet) == limit

    async def _all(self, session: Session, kept: Sequence[SessionMessage]) -> Sequence[SessionMessage]:
        """Every message once, in order."""
        found = {message.id: message for message in await self._filed(session)}
        found |= {message.id: message for message in kept}
        return sorted(found.values(), key=lambda message: (message.created_at, message.id))

    async def _kept(self, session: Session) -> Sequence[SessionMessage]:
        whose = session.tenant, session.codebase, session.id
        kept, _ = await self.sessions.messages(*whose, limit=_EVERYTHING)
        return kept

    async def _filed(self, session: Session) -> Sequence[SessionMessage]:
        if session.transcript is None:
            return ()
        async with (
            self.blobs.open(session.tenant, session.transcript) as chunks,
            aclosing(decompressed(chunks)) as lines,
        ):
            return [codec.load(SessionMessage, json.loads(line)) async for line in lines]


async def _lines(messages: Iterable[SessionMessage]) -> AsyncIterator[bytes]:
    for message in messages:
        yield json.dumps(codec.dump(message), ensure_ascii=False).encode("utf-8", "replace") + b"\n"
