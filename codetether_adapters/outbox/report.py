"""The terminal report of a run, as it waits on the worker's disk."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any, Final

from attrs import evolve, field, frozen

from codetether_core.codec import dump, parse
from codetether_core.errors import Invalid
from codetether_core.ids import SessionId, TaskId
from codetether_core.tasks import OutputChunk

__all__ = ["TEXT_BYTES", "Report", "decode", "encode"]

TEXT_BYTES: Final = 256 * 1024
"""The most UTF-8 bytes that the result, and the error, of a report keep: the last ones."""


@frozen(kw_only=True)
class Report:
    """What a worker says last about a task: ``status`` is the task's new state, ``lease`` the token it was granted.

    ``outputs`` is what of the run's output the server may not have yet, ``first`` the ordinal of its first piece.
    ``artifacts`` is the directory with the files that the run left. A failed run is to be tried again with ``retry``.
    """

    task: TaskId
    lease: str | None = field(repr=False)
    status: str
    created_at: datetime
    result: str | None = None
    error: str | None = None
    reason: str | None = None
    session: SessionId | None = None
    outputs: tuple[OutputChunk, ...] = ()
    first: int = 0
    artifacts: str | None = None
    retry: bool = False


def encode(report: Report) -> bytes:
    """The report as an entry: JSON with its own checksum, texts bounded."""
    bounded = evolve(report, result=_bounded(report.result), error=_bounded(report.error))
    content = dump(bounded)
    return json.dumps({"format": 1, "sha256": _checksum(content), "report": content}).encode() + b"\n"


def decode(entry: bytes) -> Report:
    """The report of an entry; ``ValueError`` if it is torn or not of ours."""
    data = json.loads(entry)
    if not isinstance(data, dict) or data.get("format") != 1 or data.get("sha256") != _checksum(data.get("report")):
        raise ValueError("not a whole entry")
    try:
        return parse(Report, data["report"])
    except Invalid as error:
        raise ValueError(error.message) from error


def _checksum(content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _bounded(text: str | None) -> str | None:
    data = (text or "").encode("utf-8", "replace")
    if text is None or len(data) <= TEXT_BYTES:
        return text
    kept = data[-TEXT_BYTES:].decode("utf-8", "ignore")
    return f"[{len(data) - TEXT_BYTES} bytes before this were cut]\n{kept}"
