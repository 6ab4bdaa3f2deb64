"""The names of keys, and which shard they are in."""

from __future__ import annotations

from binascii import crc_hqx
from collections.abc import Iterator
from functools import lru_cache
from itertools import count
from typing import Final

from attrs import frozen

from codetether_core.events import Topic
from codetether_core.ids import CodebaseId, TenantId, room_in, room_of

__all__ = ["Layout", "framed", "topic_of", "topic_text", "unframed"]

_KEPT: Final = 8192
_SLOTS: Final = 16384


@frozen
class Layout:
    """How a store is spread: a shard is a room modulo their number, and its keys begin with its prefix.

    What is in braces makes all keys of a shard one slot of a cluster, and is chosen so that the shards lie evenly on
    the slots, and thus on the servers. The first shard's is always the same.
    """

    prefix: str
    shards: int

    def key(self, shard: int, name: str = "") -> str:
        """A key of a shard."""
        return f"{self.prefix}:{{{_tags(self.shards)[shard]}}}:{name}"

    def of_id(self, id: str) -> int:
        """Where something with this id is looked for."""
        return room_in(id) % self.shards

    def of_scope(self, tenant: TenantId, scope: str) -> int:
        """Where everything of a codebase is, and of a scope that is none."""
        return _room(tenant, CodebaseId(scope)) % self.shards

    def of_topic(self, topic: Topic) -> tuple[int, ...]:
        """Where a topic's events are."""
        if topic.scope or topic.subject:
            return (self.of_scope(topic.tenant, topic.scope),)
        return tuple(range(self.shards))

    @property
    def every(self) -> range:
        """All of the shards."""
        return range(self.shards)


def framed(*texts: str) -> str:
    """Texts in a row, each told apart by its length in bytes: what begins alike is alike."""
    return "".join(f"{len(text.encode())}:{text}" for text in texts)


@lru_cache(maxsize=_KEPT)
def topic_text(topic: Topic) -> tuple[bytes, int, int]:
    """A topic in a row, the length of it up to its scope, and up to its tenant."""
    tenant = framed(topic.tenant).encode()
    scope = tenant + framed(topic.scope).encode() if topic.scope or topic.subject else tenant
    whole = scope + framed(topic.subject).encode() if topic.subject else scope
    return whole, len(scope), len(tenant)


@lru_cache(maxsize=_KEPT)
def topic_of(text: bytes) -> Topic:
    """What ``topic_text`` made a text of."""
    tenant, scope, subject = (*(part.decode() for part in unframed(text)), "", "")[:3]
    return Topic(TenantId(tenant), scope, subject)


def unframed(text: bytes) -> Iterator[bytes]:
    """The texts that were framed."""
    while text:
        length, _, rest = text.partition(b":")
        yield rest[: int(length)]
        text = rest[int(length) :]


@lru_cache
def _tags(shards: int) -> tuple[str, ...]:
    """A text for each shard, in a stretch of the slots of its own."""
    first = _stretch("00", shards)
    found = ["00"]
    for shard in range(1, shards):
        wanted = (first + shard) % shards
        tags = (f"{shard:02}.{n}" for n in count())
        found.append(next(tag for tag in tags if _stretch(tag, shards) == wanted))
    return tuple(found)


def _stretch(tag: str, shards: int) -> int:
    """In which of as many equal stretches of the slots it is."""
    return crc_hqx(tag.encode(), 0) % _SLOTS * shards // _SLOTS


@lru_cache(maxsize=_KEPT)
def _room(tenant: TenantId, codebase: CodebaseId) -> int:
    return room_in(room_of(tenant, codebase))
