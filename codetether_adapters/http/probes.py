"""Whether we live, and whether we are ready: for people, load balancers and Kubernetes.

``/livez`` asks nobody. ``/readyz`` asks every check, and answers 503 while one fails or once we are leaving. With
``?verbose`` it tells besides of what we are ready without, for it costs time only.
``/health`` (the deployed name) is 200 as long as the process lives and tells of readiness in its body. They are
public, so they say which check fails and never why: that may name a host.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeAlias

from attrs import frozen
from starlette.responses import Response

from codetether_adapters.http.call import Call
from codetether_adapters.http.responses import Json
from codetether_adapters.http.routing import Route
from codetether_core.access import PUBLIC
from codetether_core.errors import CodeTetherError

__all__ = ["Check", "Health", "Readiness", "probe_routes"]

Check: TypeAlias = Callable[[], Awaitable[object]]
"""Returns if all is well, raises otherwise."""

_PATIENCE: Final = 2.0
"""For how long a check may keep us waiting, in seconds."""

_OK: Final = "ok"


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
    """``status`` is ``ready``, ``draining`` or ``not_ready``; ``checks`` has each check's name and ``ok`` or a slug."""

    status: str
    checks: Mapping[str, str] | None = None


def probe_routes(checks: Mapping[str, Check], told: Mapping[str, Check], *, version: str) -> tuple[Route, ...]:
    """The probes over these checks, and those that are only ``told`` of."""

    async def health(call: Call) -> Response:
        ready = not call.drain.begun and all(result == _OK for result in (await _ask(checks)).values())
        status = "healthy" if ready else "degraded"
        return Json({"status": status, "ready": ready, "timestamp": call.services.clock.now()})

    async def livez(call: Call) -> Response:
        return Json({"status": "alive"})

    async def readyz(call: Call) -> Response:
        verbose = call.query(Verbosity).verbose
        results = await _ask({**checks, **told} if verbose else {} if call.drain.begun else checks)
        ready = all(result == _OK for name, result in results.items() if name in checks)
        status = "draining" if call.drain.begun else "ready" if ready else "not_ready"
        body = {"status": status, "checks": results} if verbose else {"status": status}
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
        Route("GET", "/version", tell_version, PUBLIC, summary="What runs here", tag="probes",
              answer=_object("name", "version")),
    )  # fmt: skip


async def _ask(checks: Mapping[str, Check]) -> dict[str, str]:
    results = await asyncio.gather(*map(_result, checks.values()))
    return dict(zip(checks, results, strict=True))


async def _result(check: Check) -> str:
    try:
        async with asyncio.timeout(_PATIENCE):
            await check()
    except TimeoutError:
        return "timeout"
    except CodeTetherError as error:
        return error.code
    except Exception:
        return "failed"
    return _OK


def _object(*members: str) -> Mapping[str, object]:
    return {"type": "object", "required": list(members), "properties": {name: {"type": "string"} for name in members}}
