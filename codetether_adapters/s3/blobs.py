"""The ``BlobStore`` in a bucket: ``<prefix>/<tenant>/<address>``."""

from __future__ import annotations

import builtins
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import datetime, timedelta
from itertools import islice
from typing import BinaryIO, Final, ParamSpec, TypeVar

from anyio import CancelScope, CapacityLimiter
from anyio.to_thread import run_sync
from minio.error import S3Error

from codetether_adapters.s3.address import parse
from codetether_adapters.s3.bucket import CONNECTIONS, Bucket
from codetether_adapters.s3.reading import Reading
from codetether_adapters.s3.refusals import translated
from codetether_adapters.s3.spool import Spool
from codetether_core.artifacts import BlobId, KeptBlob, blob_id, blocks, intact, is_blob_id, span, tenant_folder
from codetether_core.errors import Invalid, NotFound
from codetether_core.ids import TenantId
from codetether_core.ports import BlobStore

__all__ = ["S3Blobs", "open_blobs"]

P = ParamSpec("P")
T = TypeVar("T")

_SHORTEST: Final = timedelta(seconds=1)
_LONGEST: Final = timedelta(days=7)
_MISSING: Final = "NoSuchKey"
_ROUNDED: Final = timedelta(seconds=1)
"""What a store's answers may differ by about one time: some round it down, some up."""


class S3Blobs:
    """A ``BlobStore``; ``where`` names it in errors."""

    def __init__(self, bucket: Bucket, where: str) -> None:
        self._bucket = bucket
        self._where = where
        self._threads = CapacityLimiter(CONNECTIONS)

    async def put(self, tenant: TenantId, data: bytes | AsyncIterable[bytes]) -> BlobId:
        """Spool, to know the address, and upload, over what may be there."""

        def upload(id: BlobId, file: BinaryIO, size: int) -> None:
            self._bucket.put(_key(tenant, id), file, size)

        spool = Spool()
        try:
            async with aclosing(blocks(data)) as found:
                async for block in found:
                    await self._call(spool.write, block)
            return await self._call(spool.send, upload)
        finally:
            with CancelScope(shield=True):
                await self._call(spool.close)

    @asynccontextmanager
    async def open(
        self, tenant: TenantId, id: BlobId, *, start: int = 0, stop: int | None = None
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        """Stream the object."""
        key, length = _key(tenant, id), span(start, stop)
        reading = Reading(lambda: self._bucket.get(key, start, length))
        try:
            await self._find(id, reading.open)
            chunks = intact(id, reading) if start == 0 and stop is None else reading
            async with aclosing(self._iterate(chunks)) as found:
                yield found
        finally:
            with CancelScope(shield=True):
                await self._call(reading.close)

    async def size(self, tenant: TenantId, id: BlobId) -> int:
        """The object's."""
        key = _key(tenant, id)
        return (await self._find(id, lambda: self._bucket.find(key)))[0]

    async def delete(self, tenant: TenantId, id: BlobId) -> None:
        """Remove the object."""
        await self._call(self._bucket.remove, _key(tenant, id))

    async def drop(self, tenant: TenantId, blob: KeptBlob) -> bool:
        """Ask for the object's time and remove it: two requests, for S3 cannot do both at once."""
        key = _key(tenant, blob.id)
        return await self._call(self._remove_as_listed, key, blob.put_at)

    async def list(self, tenant: TenantId, *, after: BlobId | None = None, limit: int = 1000) -> Sequence[KeptBlob]:
        """List the tenant's prefix, in pages of the store's own."""
        last = blob_id(after) if after is not None else ""
        return await self._call(self._page, f"{tenant_folder(tenant)}/", last, limit)

    async def url(self, tenant: TenantId, id: BlobId, expires: timedelta) -> str | None:
        """A presigned URL, whether or not the blob is there."""
        key = _key(tenant, id)
        if not _SHORTEST <= expires <= _LONGEST:
            raise Invalid("expires", "must be between a second and seven days")
        return self._bucket.link(key, expires)

    async def ping(self) -> None:
        """Ask for a list of nothing: host, keys and bucket are right."""
        await self._call(self._bucket.ask)

    def _page(self, folder: str, last: str, limit: int) -> builtins.list[KeptBlob]:
        found = (KeptBlob(BlobId(name), at) for name, at in self._bucket.objects(folder, last) if is_blob_id(name))
        return [*islice(found, limit)]

    def _remove_as_listed(self, key: str, put_at: datetime) -> bool:
        try:
            _, changed_at = self._bucket.find(key)
        except S3Error as error:
            if error.code != _MISSING:
                raise
            return False
        if changed_at - put_at > _ROUNDED:
            return False
        self._bucket.remove(key)
        return True

    async def _find(self, id: BlobId, call: Callable[[], T]) -> T:
        with translated(self._where):
            try:
                return await run_sync(call, limiter=self._threads)
            except S3Error as error:
                if error.code != _MISSING:
                    raise
        raise NotFound("blob", id)

    async def _call(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        with translated(self._where):
            return await run_sync(lambda: call(*args, **kwargs), limiter=self._threads)

    async def _iterate(self, chunks: Iterable[bytes]) -> AsyncGenerator[bytes, None]:
        left = iter(chunks)
        while chunk := await self._call(next, left, b""):
            yield chunk


@asynccontextmanager
async def open_blobs(url: str, *, environment: Mapping[str, str] | None = None) -> AsyncIterator[BlobStore]:
    """The blobs in ``s3://ACCESS_KEY:SECRET_KEY@HOST:PORT/BUCKET/PREFIX?region=…&sse=…``; ``s3+http://`` without TLS.

    Of the environment (the caller's ``os.environ``, say) it takes ``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY`` and
    ``AWS_SESSION_TOKEN`` if the URL has no keys, and ``AWS_REGION`` or ``AWS_DEFAULT_REGION`` if it has no region.
    ``sse=s3`` has the store encrypt what it keeps with its own keys, ``sse=kms:ID`` with that key. ``Unavailable`` if
    the bucket cannot be reached with these.
    """
    address = parse(url, environment or {})
    bucket = Bucket(address)
    try:
        blobs = S3Blobs(bucket, f"{address.host}/{address.bucket}")
        await blobs.ping()
        yield blobs
    finally:
        bucket.close()


def _key(tenant: TenantId, id: BlobId) -> str:
    return f"{tenant_folder(tenant)}/{blob_id(id)}"
