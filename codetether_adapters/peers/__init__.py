"""Agents elsewhere that speak the Agent2Agent protocol, as those who give them tasks see them.

``cards`` finds out about one, ``agents`` has it do a task. Requests go through a transport that is given: where it will
not go, nothing here goes.
"""

from codetether_adapters.peers.agents import Agents
from codetether_adapters.peers.cards import Cards

__all__ = ["Agents", "Cards"]
