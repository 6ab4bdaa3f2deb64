"""The Agent2Agent protocol's binding as routes of the HTTP application, which gives everything around a call."""

from __future__ import annotations

from codetether_adapters.a2a.agent import Agent
from codetether_adapters.http import Route
from codetether_apps.wiring.a2a.cards import open_cards
from codetether_apps.wiring.a2a.http_json import rest_routes
from codetether_apps.wiring.a2a.json_rpc import rpc_routes
from codetether_apps.wiring.a2a.well_known import card_routes

__all__ = ["a2a_routes", "card_routes", "open_cards"]


def a2a_routes(agent: Agent) -> tuple[Route, ...]:
    """JSON-RPC at all its addresses, and HTTP+JSON."""
    return (*rpc_routes(agent), *rest_routes(agent))
