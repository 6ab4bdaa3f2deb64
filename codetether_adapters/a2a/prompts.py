"""A message's parts as words for an agent: text as it is, data as JSON, text files whole, files elsewhere by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from codetether_adapters.a2a.errors import CONTENT_TYPE_NOT_SUPPORTED, Refused
from codetether_adapters.a2a_wire.encoding import encode
from codetether_adapters.a2a_wire.values import Data, Message, Part, Raw, Text, Url
from codetether_core.errors import Invalid

__all__ = ["prompt_of"]

_GAP: Final = "\n\n"


def prompt_of(message: Message) -> str:
    """The words; ``Refused`` for content of a kind that no agent is handed, ``Invalid`` where there is nothing."""
    if not message.parts:
        raise Invalid("message.parts", "must have one part at least")
    prompt = _GAP.join(_told(message.parts))
    if not prompt.strip():
        raise Invalid("message.parts", "must say something")
    return prompt


def _told(parts: tuple[Part, ...]) -> Iterator[str]:
    """Text first, then data, then files, then where there are others."""
    for at, part in enumerate(parts):
        _check(at, part)
    yield from (part.content.text for part in parts if isinstance(part.content, Text) and part.content.text)
    yield from (_fenced("json", encode(part.content.data).decode()) for part in parts if isinstance(part.content, Data))
    for at, part in enumerate(parts):
        if isinstance(part.content, Raw):
            yield f"{part.filename or 'A file'}:\n{_fenced('', _text(at, part.content.raw))}"
    for part in parts:
        if isinstance(part.content, Url):
            yield f"{part.filename or 'A file'}: {part.content.url}"


def _check(at: int, part: Part) -> None:
    kind = (part.media_type or "").partition(";")[0].strip().lower()
    nameless = not kind and not isinstance(part.content, Raw)
    if not (nameless or kind.startswith("text/") or kind == "application/json"):
        told = f"{kind or 'a file without a media type'} cannot be handed to an agent; text and JSON can"
        raise Refused(CONTENT_TYPE_NOT_SUPPORTED, f"message.parts.{at}: {told}", mediaType=kind)


def _text(at: int, raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise Refused(CONTENT_TYPE_NOT_SUPPORTED, f"message.parts.{at}: the file is not UTF-8") from None


def _fenced(kind: str, text: str) -> str:
    """Between fences that are longer than any in it."""
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{kind}\n{text}\n{fence}"
