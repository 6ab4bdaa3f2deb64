"""A copy of everything, for backups of a store that is in use: entries line by line, and the bytes that they name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Final

from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp

from codetether_adapters.http.call import Call
from codetether_adapters.http.files import FileAnswer
from codetether_adapters.http.resources import shapes
from codetether_adapters.http.responses import Json, encode_json
from codetether_adapters.http.routing import Route
from codetether_core.artifacts import ANY_BYTES, blob_id

__all__ = ["ROUTES"]

_LINES: Final = "application/x-ndjson"


async def moment(call: Call) -> Response:
    """Now, by the clock that all who share the store agree on."""
    return Json({"moment": await call.services.backend.now()})


async def copy(call: Call) -> Response:
    """Every entry as one line of JSON; the last has the kind ``end``, or the copy is not complete."""
    source = call.services.archiving.copy(call.principal.tenant)

    async def lines() -> AsyncIterator[bytes]:
        async with aclosing(source):
            async for entry in source:
                yield encode_json({"kind": entry.kind, "data": entry.data}) + b"\n"
        yield encode_json({"kind": "end", "data": {}}) + b"\n"

    return StreamingResponse(lines(), media_type=_LINES)


async def blob(call: Call) -> ASGIApp:
    """The bytes of a blob that an entry names."""
    id, tenant = blob_id(call.path["id"]), call.principal.tenant
    blobs = call.services.archiving.blobs
    return FileAnswer(blobs.open(tenant, id), id, ANY_BYTES, await blobs.size(tenant, id))


_P: Final = "/v1/backups"
_TAG: Final = "backups"

ROUTES: Final = (
    Route(
        "GET",
        f"{_P}/moment",
        moment,
        "backups:make",
        summary="The store's time",
        answer=shapes.Moment,
        tag=_TAG,
    ),
    Route(
        "GET",
        f"{_P}/copy",
        copy,
        "backups:make",
        summary="Copy everything",
        answer={"type": "string", "description": "Lines of JSON: kind and data."},
        media_type=_LINES,
        tag=_TAG,
    ),
    Route(
        "GET",
        f"{_P}/blobs/{{id}}",
        blob,
        "backups:make",
        summary="Read a blob",
        answer={"type": "string", "format": "binary"},
        media_type="*/*",
        tag=_TAG,
        errors=(404, 422, 501),
    ),
)
