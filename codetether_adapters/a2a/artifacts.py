"""What a task's runs made: what they printed, and the files that they left."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Final
from urllib.parse import quote

import orjson

from codetether_adapters.a2a.agent import Agent
from codetether_adapters.a2a.file_parts import part_of
from codetether_adapters.a2a.output import OUTPUT, printed
from codetether_adapters.a2a.request import Request
from codetether_adapters.a2a_wire.encoding import encode
from codetether_adapters.a2a_wire.values import Artifact, Part, Raw, Text, Url
from codetether_core.artifacts import Artifact as File
from codetether_core.tasks import Task

__all__ = ["INLINE", "artifacts_of", "pieces_of"]

INLINE: Final = 22 * 1024 * 1024
"""Bytes of JSON in which what was made is told itself, such as 16 MiB of a file; of files beyond it is told where they
are. Other servers of this kind take an answer of 32 MiB: what else is told of a task has its place beside it.
"""

CHUNK: Final = 256 * 1024
"""Bytes of a file in one event of a stream: some clients take no event of more than 4 MiB."""

_RECORDS: Final = 10_000
_SIZE: Final = 4 * 1024 * 1024
_FILE: Final = "file:"


async def artifacts_of(agent: Agent, request: Request, task: Task, left: int = INLINE) -> list[Artifact]:
    """All of a task's, with up to ``left`` bytes of JSON in them."""
    if task.grant is None:
        return []
    made: list[Artifact] = []
    text, whole = await _output(agent, task, left)
    if text:
        metadata = None if whole else {"truncated": True}
        made.append(Artifact(artifact_id=OUTPUT, name=OUTPUT, parts=(Part(content=Text(text)),), metadata=metadata))
        left -= _written(text)
    for file in task.artifacts:
        size = _size(file)
        if size > left:
            made.append(_elsewhere(request, task, file))
            continue
        left -= size
        async with agent.services.attaching.open(request.principal, file) as chunks:
            made.append(_artifact(file, part_of(file, b"".join([chunk async for chunk in chunks]))))
    return made


async def pieces_of(
    agent: Agent, request: Request, task: Task, file: File
) -> AsyncGenerator[tuple[Artifact, bool, bool], None]:
    """A file piece by piece, each with whether it goes on with the one before and whether it is the last."""
    if _size(file) > INLINE:
        yield _elsewhere(request, task, file), False, True
        return
    waiting, begun = bytearray(), False
    async with agent.services.attaching.open(request.principal, file) as chunks:
        async for chunk in chunks:
            waiting += chunk
            while len(waiting) > CHUNK:
                yield _artifact(file, _piece(file, bytes(waiting[:CHUNK]))), begun, False
                del waiting[:CHUNK]
                begun = True
    last = bytes(waiting)
    yield _artifact(file, _piece(file, last) if begun else part_of(file, last)), begun, True


async def _output(agent: Agent, task: Task, left: int) -> tuple[str, bool]:
    """What the last attempt that printed anything printed, and whether that is all of it."""
    texts: list[str] = []
    attempt, length, offset = 0, 0, 0
    while True:
        records = await agent.services.task_logs.output(task, offset=offset, limit=_RECORDS, size=_SIZE)
        for record in records:
            if record.kind != "task.output":
                continue
            data = orjson.loads(record.body)
            text = printed(data)
            if text and data["attempt"] != attempt:
                attempt, length = data["attempt"], 0
                texts.clear()
            length += _written(text)
            if length <= left:
                texts.append(text)
        offset += len(records)
        if len(records) < _RECORDS and sum(len(record.body) for record in records) < _SIZE:
            return "".join(texts), length <= left


def _written(text: str) -> int:
    """Bytes of it in JSON, where a character takes up to 6."""
    return len(encode(text)) - len('""')


def _size(file: File) -> int:
    """Bytes of it in base 64."""
    return -(-file.size // 3) * 4


def _piece(file: File, raw: bytes) -> Part:
    return Part(content=Raw(raw), media_type=file.media_type, filename=file.name)


def _artifact(file: File, part: Part) -> Artifact:
    return Artifact(artifact_id=f"{_FILE}{file.name}", name=file.name, parts=(part,))


def _elsewhere(request: Request, task: Task, file: File) -> Artifact:
    url = f"{request.base_url}/v1/agent/tasks/{quote(task.id)}/artifacts/{quote(file.name)}"
    return _artifact(file, Part(content=Url(url), media_type=file.media_type, filename=file.name))
