"""Agents that speak the Agent Client Protocol, well and badly."""
