"""Agents that register, are discovered and receive messages."""

from codetether_core.agents.agent import EXPIRES_AFTER, Agent, discoverable, heard

__all__ = ["EXPIRES_AFTER", "Agent", "discoverable", "heard"]
