"""Agents that register, are discovered and receive messages."""

from codetether_core.agents.agent import EXPIRES_AFTER, Agent, discoverable, heard
from codetether_core.agents.peer import Peer, SignIn

__all__ = ["EXPIRES_AFTER", "Agent", "Peer", "SignIn", "discoverable", "heard"]
