"""Whether we live, have begun, and are ready: for people, load balancers and Kubernetes.

``/livez`` asks nobody, nor does ``/startupz``: what answers here has begun. ``/readyz`` asks every check, and answers
503 while one fails or once we are leaving. With ``?verbose`` it tells besides of what we are ready without, for it
costs time only. Whoever asks often is told what was found in this second.
``/health`` (the deployed name) is 200 as long as the process lives and tells of readiness in its body. They are
public, so they say which check fails and never why: that may name a host.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen
from starlette.responses import Response

from codetether_adapters.http.call import Call
from codetether_adapters.http.checks import OK, Checks
from codetether_adapters.http.responses import Json
from codetether_adapters.http.routing import Route
from codetether_core.access import PUBLIC

__all__ = ["Health", "Readiness", "probe_routes"]


@frozen
class Verbosity:
    """``?verbose`` asks for every check by name."""

    verbose: bool = False


@frozen
class Health:
    """``status`` is ``healthy`` or ``degraded``; ``timestamp`` is now."""

    status: str
    ready: bool
    timestamp: str


@frozen
class Readiness:
    """``status`` is ``ready``, ``draining`` or ``not_ready``; ``checks`` has each check's name and ``ok`` or a slug.

    Before there is an application it is ``starting``, for a ``reason``.
    """

    status: str
    checks: Mapping[str, str] | None = None
    reason: str | None = None


def probe_routes(checks: Checks, told: Checks, *, version: str) -> tuple[Route, ...]:
    """The probes over these checks, and those that are only ``told`` of."""

    async def health(call: Call) -> Response:
        ready = not call.drain.begun and all(result == OK for result in (await checks.results()).values())
        status = "healthy" if ready else "degraded"
        return Json({"status": status, "ready": ready, "timestamp": call.services.clock.now()})

    async def livez(call: Call) -> Response:
        return Json({"status": "alive"})

    async def startupz(call: Call) -> Response:
        return Json({"status": "started"})

    async def readyz(call: Call) -> Response:
        verbose = call.query(Verbosity).verbose
        results = await checks.results() if verbose or not call.drain.begun else {}
        ready = all(result == OK for result in results.values())
        status = "draining" if call.drain.begun else "ready" if ready else "not_ready"
        body = {"status": status, "checks": results | await told.results()} if verbose else {"status": status}
        return Json(body, 200 if status == "ready" else 503)

    async def tell_version(call: Call) -> Response:
        return Json({"name": "codetether", "version": version})

    return (
        Route("GET", "/health", health, PUBLIC, summary="Alive, and ready or not", tag="probes", answer=Health),
        Route("GET", "/livez", livez, PUBLIC, summary="Alive", tag="probes", answer=_object("status")),
        Route(
            "GET", "/readyz", readyz, PUBLIC, summary="Ready for requests", tag="probes",
            query=Verbosity, answer=Readiness, also={503: Readiness},
        ),
        Route(
            "GET", "/startupz", startupz, PUBLIC, summary="Begun", tag="probes",
            answer=_object("status"), also={503: Readiness},
        ),
        Route("GET", "/version", tell_version, PUBLIC, summary="What runs here", tag="probes",
              answer=_object("name", "version")),
    )  # fmt: skip


def _object(*members: str) -> Mapping[str, object]:
    return {"type": "object", "required": list(members), "properties": {name: {"type": "string"} for name in members}}
