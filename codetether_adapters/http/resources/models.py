"""The models that can be asked for now: those of registered workers that are there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from starlette.responses import Response

from codetether_adapters.http.call import Call
from codetether_adapters.http.resources import shapes
from codetether_adapters.http.responses import Json
from codetether_adapters.http.routing import Route
from codetether_core.workers import Presence, Worker, presence

__all__ = ["ROUTES", "models"]


async def models(call: Call) -> Response:
    """Every model, by id; the first is the default."""
    found = await _offered(call)
    return Json({"models": found, "default": found[0]["id"] if found else None})


async def providers(call: Call) -> Response:
    """The providers of those models. Their keys stay with the workers."""
    found = Counter(model["provider_id"] for model in await _offered(call))
    return Json(
        {
            "providers": [
                {
                    "id": provider,
                    "name": provider,
                    "description": "Offered by registered workers",
                    "npm": None,
                    "has_base_url": False,
                    "requires_base_url": False,
                    "has_models": True,
                    "models": found[provider],
                    "auth_type": "worker",
                }
                for provider in sorted(found)
            ]
        }
    )


async def _offered(call: Call) -> list[dict[str, Any]]:
    """Each model once, as the first worker tells it that has it, and with all that have it."""
    now = call.services.clock.now()
    found: dict[str, dict[str, Any]] = {}
    for worker in await call.services.backend.directory.workers.list(call.principal.tenant):
        if presence(worker, now) is Presence.ACTIVE:
            for model in worker.models:
                view = _view(model, worker)
                having = found.setdefault(view["id"], view)["workers"]
                if worker.id not in having:
                    having.append(worker.id)
    return [found[id] for id in sorted(found)]


def _view(model: Mapping[str, Any], worker: Worker) -> dict[str, Any]:
    """A model as its worker told it, completed; a worker may leave out all but the id."""
    id = str(model["id"])
    provider = str(
        model.get("provider_id") or model.get("provider") or (id.partition("/")[0] if "/" in id else "unknown")
    )
    return {
        "id": id,
        "name": str(model.get("name") or id.partition("/")[2] or id),
        "provider": f"{model.get('provider') or provider} (via {worker.name})",
        "provider_id": provider,
        "capabilities": model.get("capabilities") or {"reasoning": False, "attachment": False, "tool_call": True},
        "workers": [],
    }


ROUTES: Final = (
    Route(
        "GET",
        "/v1/agent/models",
        models,
        "workers:read",
        summary="Models of present workers",
        answer=shapes.Models,
        tag="models",
    ),
    Route(
        "GET",
        "/v1/agent/providers",
        providers,
        "workers:read",
        summary="Their providers",
        answer=shapes.Providers,
        tag="models",
    ),
)
