"""What a shard's bell says: who rang it, up to where there are events, and which topics to wake besides theirs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from attrs import frozen

from codetether_adapters.redis.keys import topic_of, topic_text, unframed
from codetether_core.events import Topic

__all__ = ["RENEWED", "Ring", "read_ring", "wake_text"]

RENEWED: Final = -1
"""In place of a position: the log has a new epoch."""


@frozen
class Ring:
    """One message."""

    sender: str
    position: int
    topics: tuple[Topic, ...]


def wake_text(topics: Iterable[Topic]) -> bytes:
    """The topics to wake, as the message has them."""
    texts = (topic_text(topic)[0] for topic in topics)
    return b"".join(b"%d:%s" % (len(text), text) for text in texts)


def read_ring(message: bytes) -> Ring:
    """The message that a script sent."""
    sender, position, topics = message.split(b" ", 2)
    return Ring(sender.decode(), int(position), tuple(map(topic_of, unframed(topics))))
