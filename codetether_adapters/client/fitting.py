"""Text of an agent's function as the server takes it: no NUL, no half characters, of bounded size."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

__all__ = ["PIECE_BYTES", "RESULT_BYTES", "clean", "cut", "pieces"]

PIECE_BYTES: Final = 16 * 1024
"""The most UTF-8 bytes of one piece of output."""

RESULT_BYTES: Final = 256 * 1024
"""The most UTF-8 bytes of a result or an error."""


def clean(text: str) -> str:
    """The text with ``␀`` for NUL, which stores refuse, and U+FFFD for half of a surrogate pair, which UTF-8 does."""
    text = text.replace("\0", "\u2400")
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def pieces(text: str) -> Iterator[str]:
    """The clean text in pieces, cut after a line where there is one; no piece if it is empty."""
    data, start = clean(text).encode(), 0
    while len(data) - start > PIECE_BYTES:
        end = data.rfind(b"\n", start, start + PIECE_BYTES) + 1 or _character_start(data, start + PIECE_BYTES)
        yield data[start:end].decode()
        start = end
    if start < len(data):
        yield data[start:].decode()


def cut(text: str) -> str:
    """The clean text, its end cut off where it is too long, and a last line that says so."""
    text = clean(text)
    data = text.encode()
    if len(data) <= RESULT_BYTES:
        return text
    end = _character_start(data, RESULT_BYTES)
    return f"{data[:end].decode()}\n[{len(data) - end} bytes after this were cut]"


def _character_start(data: bytes, index: int) -> int:
    """The nearest index, from ``index`` down, where a character of this valid UTF-8 begins."""
    while data[index] & 0xC0 == 0x80:
        index -= 1
    return index
