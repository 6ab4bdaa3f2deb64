"""Resources: what there is under which path. Each module is one, with its bodies, handlers and ``ROUTES``."""

from __future__ import annotations

from typing import Final

from codetether_adapters.http.resources import (
    accounts,
    agents,
    approvals,
    artifacts,
    audit,
    auth,
    client_streams,
    codebase_actions,
    codebases,
    copies,
    credentials,
    database,
    deployed_tasks,
    encryption,
    keys,
    leases,
    messages,
    models,
    monitor,
    monitor_export,
    monitor_stream,
    provider_sign_in,
    push,
    reports,
    runtime,
    secrets,
    session_sync,
    sessions,
    tasks,
    tool_servers,
    upkeep,
    worker_registration,
    worker_stream,
    workers,
)
from codetether_adapters.http.routing import Alias, Route, expand

__all__ = ["ALIASES", "all_routes"]

ALIASES: Final = (
    Alias("opencode", of="/v1/agent", at="/v1/opencode"),
    Alias("workspaces", of="/v1/agent/codebases", at="/v1/agent/workspaces"),
)
"""What deployed 1.4.3 workers call, and what newer ones do; the handlers are the same."""


def all_routes() -> tuple[Route, ...]:
    """Every route of the API, under every prefix that it has."""
    routes = (
        *(tasks.ROUTES + upkeep.ROUTES + reports.ROUTES + leases.ROUTES + approvals.ROUTES + artifacts.ROUTES),
        *(codebases.ROUTES + codebase_actions.ROUTES + client_streams.ROUTES + sessions.ROUTES + session_sync.ROUTES),
        *(worker_stream.ROUTES + worker_registration.ROUTES + workers.ROUTES + keys.ROUTES),
        *(agents.ROUTES + messages.ROUTES + models.ROUTES + deployed_tasks.ROUTES),
        *(monitor.ROUTES + monitor_export.ROUTES + monitor_stream.ROUTES + runtime.ROUTES + database.ROUTES),
        *(copies.ROUTES + audit.ROUTES),
        *(auth.ROUTES + provider_sign_in.ROUTES + accounts.ROUTES + credentials.ROUTES),
        *(encryption.ROUTES + push.ROUTES),
        *(secrets.ROUTES + tool_servers.ROUTES),
    )
    return expand(routes, ALIASES)
