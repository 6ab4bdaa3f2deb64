"""A topic's places in an index. The same few topics come up again and again, so their widenings are kept."""

from __future__ import annotations

from functools import lru_cache

from codetether_core.events import Topic

__all__ = ["widening"]


@lru_cache(maxsize=8192)
def widening(topic: Topic) -> tuple[Topic, ...]:
    """The topic and every wider one, each once."""
    return tuple(dict.fromkeys(topic.widening()))
