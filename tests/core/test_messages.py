"""Messages between agents: queued until acknowledged, once."""

from datetime import UTC, datetime

import pytest
from attrs import evolve

from codetether_core.access import DEFAULT_TENANT
from codetether_core.errors import IllegalTransition
from codetether_core.ids import AgentName, MessageId
from codetether_core.messages import TRANSITIONS, Message, MessageState, acknowledge

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MESSAGE = Message(
    id=MessageId("msg_1"),
    tenant=DEFAULT_TENANT,
    sender="carol",
    recipient=AgentName("coder"),
    body="hello",
    sent_at=NOW,
)


def test_a_message_is_acknowledged() -> None:
    known = acknowledge(MESSAGE, NOW)
    assert (known.state, known.acknowledged_at, known.version) == (MessageState.ACKNOWLEDGED, NOW, 2)
    assert evolve(known, state=MESSAGE.state, acknowledged_at=None, version=1) == MESSAGE


@pytest.mark.parametrize("state", MessageState)
def test_every_state_has_a_row_or_refuses(state: MessageState) -> None:
    """Two instances of one role may read the same inbox; the second learns that the message is taken."""
    message = evolve(MESSAGE, state=state)
    if (state, "acknowledge") in TRANSITIONS:
        assert acknowledge(message, NOW).state is TRANSITIONS[state, "acknowledge"]
    else:
        with pytest.raises(IllegalTransition, match="Cannot acknowledge the message: it is acknowledged"):
            acknowledge(message, NOW)
