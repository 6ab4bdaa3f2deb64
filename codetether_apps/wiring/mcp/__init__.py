"""The Model Context Protocol as routes of the HTTP application, which gives everything around a call."""

from __future__ import annotations

from codetether_apps.wiring.mcp.opening import catalogue_of, endpoint_of, is_served, protected_of, run_endpoint_of
from codetether_apps.wiring.mcp.routes import RPC, mcp_routes
from codetether_apps.wiring.mcp.run_routes import RUNS, run_routes

__all__ = [
    "RPC",
    "RUNS",
    "catalogue_of",
    "endpoint_of",
    "is_served",
    "mcp_routes",
    "protected_of",
    "run_endpoint_of",
    "run_routes",
]
