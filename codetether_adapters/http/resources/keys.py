"""What deployed workers ask for at their start: keys of model providers.

They merge what they get into a file on their machine, so they are given none: keys stay where the agents run.
The question itself says that the process has just started, and nothing else that a deployed worker says does: what a
process of the same id held before is held no more.
"""

from __future__ import annotations

from typing import Final

from attrs import frozen
from starlette.responses import Response

from codetether_adapters.http.call import Call
from codetether_adapters.http.resources import shapes
from codetether_adapters.http.responses import Json
from codetether_adapters.http.routing import Route
from codetether_core.ids import WorkerId

__all__ = ["ROUTES"]


@frozen
class AskForKeys:
    """Which worker has started."""

    worker_id: str | None = None


async def sync(call: Call) -> Response:
    """No keys, for the caller and nobody else, whatever ``user_id`` says."""
    now = call.services.clock.now()
    if worker := call.query(AskForKeys).worker_id:
        await call.services.reporting.begin_anew(call.principal, WorkerId(worker))
    return Json({"user_id": call.principal.name, "auth": {}, "providers": {}, "updated_at": now})


ROUTES: Final = (
    Route(
        "GET",
        "/v1/agent/api-keys/sync",
        sync,
        "tasks:execute",
        summary="A worker's provider keys: none",
        answer=shapes.ProviderKeys,
        tag="workers",
        query=AskForKeys,
    ),
)
