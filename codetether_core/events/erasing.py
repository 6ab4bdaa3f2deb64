"""Events that take others with them: once there is one, the log has nothing before it of what it is about.

What is erased is gone from the middle of the log. Its positions and numbers are not given out again, so nobody who
follows is led astray: a reader comes by a gap, as by what is no concern of his.
"""

from __future__ import annotations

from typing import Final

from codetether_core.events.topic import Topic
from codetether_core.ids import CodebaseId, TaskId

__all__ = ["ERASING_KINDS", "SESSION_ERASED", "TASK_ERASED", "erased_by", "erased_under"]

SESSION_ERASED: Final = "session.erased"
TASK_ERASED: Final = "task.erased"

ERASING_KINDS: Final = (SESSION_ERASED, TASK_ERASED)

_WEBHOOKS: Final = "webhooks/"


def erased_by(kind: str, topic: Topic) -> tuple[Topic, ...]:
    """The topics whose records an event of that kind on that topic takes with it; mostly none."""
    if kind == TASK_ERASED:
        return topic, Topic.webhooks(topic.tenant, CodebaseId(topic.scope), TaskId(topic.subject))
    return (topic,) if kind == SESSION_ERASED else ()


def erased_under(topic: Topic) -> Topic:
    """The topic of the event that would take this one's records with it."""
    return Topic(topic.tenant, topic.scope, topic.subject.removeprefix(_WEBHOOKS))
