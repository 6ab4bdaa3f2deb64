"""Files that runs leave with their tasks, as requests."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path
from typing import Final

from codetether_adapters.client.requests import AGENT, Request, many, nothing, one, path
from codetether_adapters.client.transport import Transport
from codetether_adapters.client.views import ArtifactView
from codetether_core.artifacts import ANY_BYTES, artifact_name

__all__ = ["artifacts_of", "leave_artifact", "read_artifact"]

_STORING: Final = 300.0
"""Seconds that a server may take to store a file after its last byte, besides those for any answer."""


def artifacts_of(task: str) -> Request[Sequence[ArtifactView]]:
    """Which files there are."""
    return Request(method="GET", path=path(f"{AGENT}/tasks", task, "artifacts"), read=many(ArtifactView, "artifacts"))


def leave_artifact(
    task: str, name: str, data: bytes | Path, media_type: str | None, headers: Mapping[str, str | None]
) -> Request[ArtifactView]:
    """Keep a file with a task, in place of one of that name."""
    return Request(
        method="PUT",
        path=_place(task, name),
        file=data,
        headers={**headers, "content-type": media_type or ANY_BYTES},
        read=one(ArtifactView, "artifact"),
        patience=_STORING,
    )


async def read_artifact(transport: Transport, task: str, name: str) -> AsyncGenerator[bytes]:
    """A file's bytes as they come; ``ConnectionFailed`` if they are not all."""
    async with transport.open(Request(method="GET", path=_place(task, name), read=nothing)) as chunks:
        async for chunk in chunks:
            yield chunk


def _place(task: str, name: str) -> str:
    return path(f"{AGENT}/tasks", task, "artifacts", *artifact_name(name).split("/"))
