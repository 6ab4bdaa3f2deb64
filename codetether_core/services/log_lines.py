"""A task's events as lines of text, for files: what a blob of them has, compressed, and what a download shows.

A line is a JSON object with ``number``, ``kind``, ``at`` and, last, ``data`` as the log had it, byte for byte.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from typing import Final

from codetether_core import codec
from codetether_core.events import Record, Topic

__all__ = ["compressed", "decompressed", "line_of", "record_of"]

_GZIP: Final = 31
"""zlib's word for gzip's format; without a moment in it, so that the same lines are the same bytes."""

_DATA: Final = b',"data":'


def line_of(record: Record) -> bytes:
    """The record as a line."""
    head = f'{{"number":{record.number},"kind":{json.dumps(record.kind)},"at":"{codec.timestamp(record.at)}"'
    return head.encode() + _DATA + record.body + b"}\n"


def record_of(line: bytes, topic: Topic) -> Record:
    """The record that a line was made of; its position is nobody's any more."""
    head, _, data = line.partition(_DATA)
    told = json.loads(head + b"}")
    return Record(0, told["number"], topic, told["kind"], codec.moment(told["at"]), data[:-1])


async def compressed(lines: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """The lines as a file of gzip's."""
    packer = zlib.compressobj(wbits=_GZIP)
    async for line in lines:
        if packed := packer.compress(line):
            yield packed
    yield packer.flush()


async def decompressed(chunks: AsyncIterable[bytes]) -> AsyncGenerator[bytes, None]:
    """The lines of such a file, without their ends."""
    unpacker = zlib.decompressobj(wbits=_GZIP)
    waiting = b""
    async for chunk in chunks:
        *lines, waiting = (waiting + unpacker.decompress(chunk)).split(b"\n")
        for line in lines:
            yield line
