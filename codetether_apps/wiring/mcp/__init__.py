"""The Model Context Protocol as routes of the HTTP application, which gives everything around a call."""

from __future__ import annotations

from codetether_apps.wiring.mcp.opening import catalogue_of, endpoint_of, is_served, protected_of
from codetether_apps.wiring.mcp.routes import RPC, mcp_routes

__all__ = ["RPC", "catalogue_of", "endpoint_of", "is_served", "mcp_routes", "protected_of"]
