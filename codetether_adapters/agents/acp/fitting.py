"""Events of a bounded size: agents tell whole files, and a server takes no piece of output that has no end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from codetether_adapters.agents.chunks import CHUNK_BYTES
from codetether_core.tasks import OutputChunk

__all__ = ["MOST_CHARACTERS", "event"]

MOST_CHARACTERS: Final = 256 * 1024
"""The most characters of an event, as JSON."""


def event(type: str, members: Mapping[str, Any], *, stream: str = "stdout") -> OutputChunk:
    """An event of the run, of which no text is printed; members that are ``None`` are left out.

    Where it is too large its long texts are cut, and where that does not help only its beginning is told, as ``cut``.
    """
    told: dict[str, Any] = {"type": type, **{name: value for name, value in members.items() if value is not None}}
    if len(json.dumps(told)) > MOST_CHARACTERS:
        told = {name: _shortened(value) for name, value in told.items()}
        if len(written := json.dumps(told)) > MOST_CHARACTERS:
            told = {"type": type, "cut": written[:CHUNK_BYTES]}
    return OutputChunk(text="", stream=stream, event=told)


def _shortened(value: Any) -> Any:
    if isinstance(value, str) and len(value) > CHUNK_BYTES:
        return f"{value[:CHUNK_BYTES]}\n[{len(value) - CHUNK_BYTES} characters after this were cut]"
    if isinstance(value, Mapping):
        return {name: _shortened(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_shortened(member) for member in value]
    return value
