"""What deployed workers ask for at their start: keys of model providers.

They merge what they get into a file on their machine, so they are given none: keys stay where the agents run.
"""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from codetether_adapters.http.call import Call
from codetether_adapters.http.responses import Json
from codetether_adapters.http.routing import Route

__all__ = ["ROUTES"]


async def sync(call: Call) -> Response:
    """No keys, for the caller and nobody else, whatever ``user_id`` says."""
    now = call.services.clock.now()
    return Json({"user_id": call.principal.name, "auth": {}, "providers": {}, "updated_at": now})


ROUTES: Final = (
    Route(
        "GET", "/v1/agent/api-keys/sync", sync, "tasks:execute", summary="A worker's provider keys: none", tag="workers"
    ),
)
