"""A copy of all that a server has: ``client.backups``, for administrators."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from datetime import datetime
from typing import Any

from codetether_adapters.client.errors import ConnectionFailed
from codetether_adapters.client.lines import objects_of
from codetether_adapters.client.operations import M, Resource, operation, stream
from codetether_adapters.client.requests import Request, nothing, path
from codetether_core import codec

__all__ = ["Backups"]

_AT = "/v1/backups"


class Backups(Resource[M]):
    """``client.backups``."""

    @operation
    async def begin(self) -> datetime:
        """The moment of the copy that is about to be taken, by the store's clock; refusals come here."""
        return await self._send(Request(method="GET", path=f"{_AT}/moment", read=_moment))

    @stream
    async def entries(self) -> AsyncGenerator[Mapping[str, Any]]:
        """Every piece of the copy, what others refer to first; ``ConnectionFailed`` if they are not all."""
        async with aclosing(objects_of(self._transport, f"{_AT}/copy")) as lines:
            async for told in lines:
                if told.get("kind") == "end":
                    return
                yield told
        raise ConnectionFailed("The server ended the copy before it was complete", hint="copy again")

    @stream
    async def blob(self, id: str) -> AsyncGenerator[bytes]:
        """The bytes of a blob that an entry names."""
        where = path(f"{_AT}/blobs", id)
        async with self._transport.open(Request(method="GET", path=where, read=nothing)) as chunks:
            async for chunk in chunks:
                yield chunk


def _moment(data: Any) -> datetime:
    return codec.parse(datetime, data["moment"], field="moment")
