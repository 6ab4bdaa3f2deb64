"""The contract of ``Inbox``."""

from __future__ import annotations

import asyncio
import unittest
from typing import Any, Final

from codetether_core.errors import AlreadyExists, NotFound, VersionConflict
from codetether_core.events import Topic
from codetether_core.ids import AgentName, MessageId
from codetether_core.messages import Message, acknowledge
from codetether_core.ports import Backend
from contracts.ports.harness import Example, OpenBackend, examples, raises
from contracts.ports.samples import MICROSECOND, NOW, OTHER_TENANT, SECOND, TENANT, note

__all__ = ["inbox_contract"]

_TOPIC: Final = Topic.agent(TENANT, AgentName("a"))


def inbox_contract(open_backend: OpenBackend) -> type[unittest.TestCase]:
    """Sending, acknowledging and listing."""
    return examples("InboxContract", open_backend, _EXAMPLES)


def _message(id: str, offset: int = 0, **more: Any) -> Message:
    sent = {"tenant": TENANT, "sender": "s", "recipient": AgentName("a"), "body": "b", **more}
    return Message(id=MessageId(id), sent_at=NOW + offset * MICROSECOND, **sent)


async def what_was_sent_comes_back_equal(backend: Backend) -> None:
    """Every member; its event is in the log and wakes the recipient."""
    message = _message("ünïcode '%", body="é\n🦊", type="human", conversation="c", metadata={"a": [1, None]})
    start = await backend.log.head()
    with backend.notifier.listen(_TOPIC) as bell:
        await backend.inbox.add(message, [note(_TOPIC)])
        assert await bell.wait(5 * SECOND)
    assert await backend.inbox.get(TENANT, message.id) == message
    assert len((await backend.log.read(_TOPIC, start)).records) == 1
    await raises(AlreadyExists, backend.inbox.add(message, [note(_TOPIC)]))
    assert len((await backend.log.read(_TOPIC, start)).records) == 1
    await raises(NotFound, backend.inbox.get(OTHER_TENANT, message.id))


async def a_message_is_acknowledged_once(backend: Backend) -> None:
    """Of many at once, with its event."""
    message = _message("m")
    await backend.inbox.add(message)
    start = await backend.log.head()
    taken = acknowledge(message, NOW)
    swaps = [backend.inbox.replace(message, taken, [note(_TOPIC)]) for _ in range(5)]
    outcomes = await asyncio.gather(*swaps, return_exceptions=True)
    assert sum(outcome is None for outcome in outcomes) == 1
    assert all(isinstance(outcome, VersionConflict) for outcome in outcomes if outcome is not None)
    assert await backend.inbox.get(TENANT, message.id) == taken
    assert len((await backend.log.read(_TOPIC, start)).records) == 1
    unknown = _message("none")
    await raises(VersionConflict, backend.inbox.replace(unknown, acknowledge(unknown, NOW)))


async def lists_are_in_the_order_of_sending(backend: Backend) -> None:
    """To the microsecond, then by id; the latest, but of those that are queued the oldest."""
    inbox = backend.inbox
    sent = [
        _message("d", 3, conversation="x"),
        _message("a", 0),
        _message("c", 2, recipient=AgentName("b"), conversation="x"),
        _message("b", 2),
        _message("e", 9, conversation="y"),
    ]
    for message in sent:
        await inbox.add(message)
    await inbox.add(_message("z", tenant=OTHER_TENANT, conversation="x"))
    await inbox.replace(sent[1], acknowledge(sent[1], NOW))

    async def listed(**conditions: Any) -> str:
        return "".join(message.id for message in await inbox.list(TENANT, **conditions))

    one, both = frozenset({AgentName("a")}), frozenset({AgentName("a"), AgentName("b")})
    assert await listed() == "abcde"
    assert await listed(limit=2) == "de"
    assert await listed(limit=0) == ""
    assert await listed(queued_only=True) == "bcde"
    assert await listed(queued_only=True, limit=2) == "bc"
    assert await listed(recipients=one) == "abde"
    assert await listed(recipients=both) == "abcde"
    assert await listed(recipients=both, limit=3) == "cde"
    assert await listed(recipients=one, queued_only=True, limit=2) == "bd"
    assert await listed(recipients=frozenset()) == ""
    assert await listed(conversation="x") == "cd"
    assert await listed(conversation="x", recipients=one) == "d"
    assert await listed(conversation="none") == ""


_EXAMPLES: Final[tuple[Example, ...]] = (
    what_was_sent_comes_back_equal,
    a_message_is_acknowledged_once,
    lists_are_in_the_order_of_sending,
)
