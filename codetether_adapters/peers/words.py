"""Messages to text and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from codetether_adapters.a2a_wire.encoding import encode
from codetether_adapters.a2a_wire.values import Data, Message, Part, Raw, Role, Text, Url

__all__ = ["MESSAGE", "fit", "said_in", "saying"]

_LONGEST: Final = 256 * 1024
MESSAGE: Final = 4 * 1024
"""Characters of what an agent says that is wrong."""


def saying(
    id: str, text: str, *, context: str, task: str | None = None, metadata: Mapping[str, Any] | None = None
) -> Message:
    """A message of ours."""
    return Message(
        message_id=id,
        role=Role.USER,
        parts=(Part(content=Text(text)),),
        context_id=context,
        task_id=task,
        metadata=metadata,
    )


def said_in(parts: Iterable[Part]) -> str:
    """What an agent says, in words; files by their names."""
    return fit("\n\n".join(word for part in parts if (word := _word(part))))


def fit(text: str, most: int = _LONGEST) -> str:
    """As much of it as is kept, its end, without what no store keeps."""
    return text[-most:].replace("\0", "\N{SYMBOL FOR NULL}")


def _word(part: Part) -> str:
    match part.content:
        case Text(text):
            return text
        case Data(data):
            return f"```json\n{encode(data).decode()}\n```"
        case Url(url):
            return f"{part.filename or 'A file'}: {url}"
        case Raw():
            return f"(the file {part.filename or 'without a name'})"
