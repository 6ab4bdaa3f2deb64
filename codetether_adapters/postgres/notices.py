"""What one replica tells the others about a commit: how far the log goes now, and who else is to be woken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import orjson
from attrs import frozen

from codetether_core.events import Topic
from codetether_core.ids import TenantId

__all__ = ["Notice", "notices"]

_BYTES: Final = 7000
"""Of a notice at most; PostgreSQL takes less than 8,000."""


@frozen
class Notice:
    """``origin`` is the process that committed, ``head`` the log's last position then."""

    origin: str
    head: int
    wake: tuple[Topic, ...]

    @classmethod
    def parse(cls, text: str) -> Notice | None:
        """Read what ``notices`` wrote; ``None`` for what somebody else sent on the channel."""
        try:
            origin, head, wake = orjson.loads(text)
            return cls(str(origin), int(head), tuple(Topic(TenantId(t), scope, subject) for t, scope, subject in wake))
        except (TypeError, ValueError):
            return None


def notices(origin: str, head: int, wake: Iterable[Topic]) -> Iterator[str]:
    """The texts to send: one, or as many as its topics need. A topic too long for any is left out: it is a hint."""
    together: list[str] = []
    size = 0
    for topic in dict.fromkeys(wake):
        text = _text([topic.tenant, topic.scope, topic.subject])
        length = len(text.encode())
        if length > _BYTES:
            continue
        if size + length > _BYTES:
            yield _notice(origin, head, together)
            together, size = [], 0
        together.append(text)
        size += length + 1
    yield _notice(origin, head, together)


def _notice(origin: str, head: int, topics: list[str]) -> str:
    return f"[{_text(origin)},{head},[{','.join(topics)}]]"


def _text(value: object) -> str:
    return orjson.dumps(value).decode()
