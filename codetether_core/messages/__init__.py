"""Inter-agent messages."""

from codetether_core.messages.message import TRANSITIONS, Message, MessageState, acknowledge

__all__ = ["TRANSITIONS", "Message", "MessageState", "acknowledge"]
