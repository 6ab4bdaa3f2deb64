"""An agent's bytes as chunks of text, without I/O.

Whatever an agent prints becomes text: invalid UTF-8 turns into U+FFFD, NUL into U+2400 (``␀``), for PostgreSQL and
many clients refuse NUL in text; ANSI sequences and carriage returns stay. Joined, the chunks are the whole.

A line that opens with ``{`` is a chunk of its own, so that the core can tell the agent's JSON apart. Other lines
share a chunk when they come together. A line without an end is cut, never inside a character.
"""

from __future__ import annotations

import codecs
from collections import deque
from typing import Final

__all__ = ["CHUNK_BYTES", "JSON_LINE_CHARACTERS", "Chunks", "Tail", "pieces"]

CHUNK_BYTES: Final = 16 * 1024
"""The most UTF-8 bytes of one chunk."""

JSON_LINE_CHARACTERS: Final = 64 * 1024
"""The most characters of a line of JSON that stays whole: agents print whole files in one. A longer one is cut too."""


class Chunks:
    """The reader of one stream; it holds an unfinished line of at most ``JSON_LINE_CHARACTERS`` and no more."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._held = ""
        self._inside_line = False  # whether an earlier chunk ended inside the line that ``_held`` goes on with

    @property
    def waiting(self) -> bool:
        """Whether ``flush`` would give something: a line that has begun and is not JSON, such as a prompt."""
        return bool(self._held) and not self._is_json(0, self._held)

    def feed(self, data: bytes) -> list[str]:
        """Take the next bytes; return the chunks that they complete, in order."""
        return self._cut(self._decoder.decode(data))

    def flush(self) -> list[str]:
        """Return the line that has begun, unless it is JSON: its rest has not come for a while."""
        return self._release() if self.waiting else []

    def finish(self) -> list[str]:
        """Return what is left at the end of the stream."""
        return self._cut(self._decoder.decode(b"", final=True)) + self._release()

    def _cut(self, decoded: str) -> list[str]:
        text, self._held = self._held + decoded.replace("\0", "\u2400"), ""
        chunks: list[str] = []
        start = 0
        while start < len(text):
            json_line = self._is_json(start, text)
            if json_line:
                end = text.find("\n", start) + 1
            else:
                opening = text.find("\n{", start)
                end = (opening if opening >= 0 else text.rfind("\n", start)) + 1
            if end <= start:  # the last line, not finished
                limit = JSON_LINE_CHARACTERS if json_line else CHUNK_BYTES
                if len(text) - start < limit:
                    self._held = text[start:]
                    break
                end = len(text)
            chunks += self._pieces(text[start:end], whole=json_line)
            self._inside_line = text[end - 1] != "\n"
            start = end
        return chunks

    def _is_json(self, start: int, text: str) -> bool:
        return not self._inside_line and text.startswith("{", start)

    def _release(self) -> list[str]:
        text, self._held = self._held, ""
        if not text:
            return []
        pieces = self._pieces(text, whole=self._is_json(0, text))
        self._inside_line = True
        return pieces

    @staticmethod
    def _pieces(text: str, *, whole: bool) -> list[str]:
        return [text] if whole and len(text) <= JSON_LINE_CHARACTERS else pieces(text)


def pieces(text: str) -> list[str]:
    """The text in pieces that are small enough for chunks, cut after a line where there is one."""
    cut = []
    data, start = text.encode(), 0
    while len(data) - start > CHUNK_BYTES:
        end = data.rfind(b"\n", start, start + CHUNK_BYTES) + 1 or _character_start(data, start + CHUNK_BYTES)
        cut.append(data[start:end].decode())
        start = end
    cut.append(data[start:].decode())
    return cut


class Tail:
    """The last ``limit`` UTF-8 bytes of a text that comes in chunks; ``dropped`` counts the bytes before them."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: deque[bytes] = deque()
        self._size = 0
        self.dropped = 0

    def add(self, chunk: str) -> None:
        """Take the next chunk."""
        data = chunk.encode()
        self._kept.append(data)
        self._size += len(data)
        while self._size - len(self._kept[0]) >= self._limit:
            self._size -= len(self._kept[0])
            self.dropped += len(self._kept.popleft())

    def text(self) -> str:
        """What is kept, after a line that says how much is missing."""
        data = b"".join(self._kept)
        start = max(0, len(data) - self._limit)
        while start < len(data) and data[start] & 0xC0 == 0x80:
            start += 1
        dropped = self.dropped + start
        note = f"[{dropped} bytes before this were cut; the task's output has them]\n" if dropped else ""
        return note + data[start:].decode()


def _character_start(data: bytes, index: int) -> int:
    """The nearest index, from ``index`` down, where a character of this valid UTF-8 begins."""
    while data[index] & 0xC0 == 0x80:
        index -= 1
    return index
