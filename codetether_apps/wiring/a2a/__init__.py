"""The Agent2Agent protocol's binding as routes of the HTTP application, which gives everything around a call."""

from __future__ import annotations

from typing import Final

from codetether_adapters.a2a.agent import Agent
from codetether_adapters.http import Interface, Route
from codetether_apps.wiring.a2a.http_json import REST, rest_routes
from codetether_apps.wiring.a2a.json_rpc import RPC, rpc_routes

__all__ = ["INTERFACES", "a2a_routes"]

INTERFACES: Final = (
    Interface(RPC, "JSONRPC", "1.0"),
    Interface(REST, "HTTP+JSON", "1.0"),
    Interface(RPC, "JSONRPC", "0.3"),
)
"""Where the protocol is spoken, for the agent card: the first is preferred."""


def a2a_routes(agent: Agent) -> tuple[Route, ...]:
    """JSON-RPC at all its addresses, and HTTP+JSON."""
    return (*rpc_routes(agent), *rest_routes(agent))
