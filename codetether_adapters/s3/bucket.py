"""The part of a bucket below a prefix: what is asked of the client. Calls block and raise the client's errors."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import BinaryIO, Final

from minio import Minio
from minio.error import S3Error
from minio.sse import Sse, SseKMS, SseS3
from urllib3 import BaseHTTPResponse, PoolManager, Retry, Timeout

from codetether_adapters.s3.address import Address

__all__ = ["CONNECTIONS", "Bucket"]

CONNECTIONS: Final = 16
"""Calls at a time, each with a connection that is kept. Readers who pause between chunks may have more."""

_TIMEOUT: Final = Timeout(connect=5, read=30)
_RETRIES: Final = Retry(
    total=2, backoff_factor=0.2, status_forcelist=(500, 502, 503, 504), respect_retry_after_header=False
)
_PART: Final = 8 * 1024 * 1024
_PARTS: Final = 10_000
_BEYOND: Final = "InvalidRange"
_UNKNOWN: Final = datetime.max.replace(tzinfo=UTC)
"""Of a folder, say: what tells no time is never old."""


class Bucket:
    """Objects by their key below the prefix."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._pool = PoolManager(maxsize=CONNECTIONS, timeout=_TIMEOUT, retries=_RETRIES)
        self._client = Minio(
            address.host,
            access_key=address.access_key,
            secret_key=address.secret_key,
            session_token=address.session_token,
            secure=address.secure,
            region=address.region,
            http_client=self._pool,
        )
        self._sse = _encryption(address.sse)

    def put(self, key: str, file: BinaryIO, size: int) -> None:
        """Upload, one part after the other: that bounds the memory."""
        part = max(_PART, -(-size // _PARTS))
        self._client.put_object(
            self._address.bucket, self._key(key), file, size, part_size=part, num_parallel_uploads=1, sse=self._sse
        )

    def get(self, key: str, start: int, length: int | None) -> BaseHTTPResponse | None:
        """The answer, to be read and closed; ``None`` where the object has no such bytes."""
        if length == 0:
            self.find(key)
            return None
        try:
            return self._client.get_object(self._address.bucket, self._key(key), offset=start, length=length or 0)
        except S3Error as error:
            if error.code == _BEYOND:
                return None
            raise

    def find(self, key: str) -> tuple[int, datetime]:
        """How many bytes the object has, and when it was last put."""
        try:
            found = self._client.stat_object(self._address.bucket, self._key(key))
        except S3Error:
            self.ask()  # the answer to a HEAD has no body to tell a missing bucket or a wrong key from a missing object
            raise
        return found.size or 0, found.last_modified or _UNKNOWN

    def remove(self, key: str) -> None:
        """Delete; fine if there is none."""
        self._client.remove_object(self._address.bucket, self._key(key))

    def objects(self, folder: str, after: str) -> Iterator[tuple[str, datetime]]:
        """Names in the folder, behind ``after``, in order, each with when it was last put."""
        prefix = self._key(folder)
        start = prefix + after if after else None
        for found in self._client.list_objects(self._address.bucket, prefix=prefix, start_after=start):
            yield (found.object_name or "").removeprefix(prefix), found.last_modified or _UNKNOWN

    def link(self, key: str, expires: timedelta) -> str:
        """A signed URL to read the object; computed here."""
        return self._client.get_presigned_url("GET", self._address.bucket, self._key(key), expires)

    def ask(self) -> None:
        """Look for what is not there: the shortest answer that says whether host, keys and bucket are right."""
        for _ in self.objects(".nothing/", ""):
            return

    def close(self) -> None:
        """Close the connections."""
        self._pool.clear()

    def _key(self, key: str) -> str:
        return self._address.prefix + key


def _encryption(sse: str) -> Sse | None:
    if not sse:
        return None
    return SseS3() if sse == "s3" else SseKMS(sse.removeprefix("kms:"), {})
