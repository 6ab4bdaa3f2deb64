"""Wake-ups across processes: the bells of this one, and the shards' bells for the others."""

from __future__ import annotations

from collections.abc import Iterable

from codetether_adapters.redis.bell import wake_text
from codetether_adapters.redis.failures import failure
from codetether_adapters.redis.nodes import Nodes
from codetether_adapters.tail import LocalNotifier
from codetether_core.events import Topic

__all__ = ["RedisNotifier"]


class RedisNotifier(LocalNotifier):
    """The bells of this process, rung by any (a ``Notifier``). ``name`` tells our own messages from others'.

    ``unheard`` are the shards whose bells are not heard now, each with what is in the way.
    """

    def __init__(self, nodes: Nodes, name: str) -> None:
        super().__init__()
        self.name = name
        self.unheard: dict[int, BaseException] = {}
        self._nodes = nodes

    async def notify(self, topics: Iterable[Topic]) -> None:
        """Here at once, elsewhere by the bell of the topics' shard."""
        rung = [*topics]
        self.ring(rung)
        layout = self._nodes.layout
        by_shard: dict[int, list[Topic]] = {}
        for topic in rung:
            by_shard.setdefault(layout.of_topic(topic)[0], []).append(topic)
        for shard, narrower in by_shard.items():
            await self.announce(shard, 0, narrower)

    async def announce(self, shard: int, position: int, topics: Iterable[Topic]) -> None:
        """Tell other processes that the shard's log reaches up to there, and wake topics besides."""
        message = b"%s %d %s" % (self.name.encode(), position, wake_text(topics))
        await self._nodes.call(shard, "SPUBLISH", self._nodes.layout.key(shard, "bell"), message)

    async def ping(self) -> None:
        """Whether every shard's bell is heard here; whether it can be rung, the store's own probe tells."""
        for problem in self.unheard.values():
            raise failure(problem, self._nodes.address.name)
