"""Registered secrets: put, listed without their values, forgotten."""

from __future__ import annotations

from typing import Any, Final

from attrs import field, frozen
from starlette.responses import Response

from codetether_adapters.http.call import Call
from codetether_adapters.http.resources import shapes
from codetether_adapters.http.responses import Json
from codetether_adapters.http.routing import Route
from codetether_core.secrets import Secret

__all__ = ["ROUTES"]

_TAG: Final = "secrets"
_PATH: Final = "/v1/secrets"
_ONE: Final = f"{_PATH}/{{secret_name}}"


@frozen(kw_only=True)
class GivenSecret:
    """The value, and which runs are handed it in which environment variable: those of these agents, or all."""

    value: str = field(repr=False)
    variable: str | None = None
    agents: tuple[str, ...] = ()


async def list_all(call: Call) -> Response:
    """By name; nobody is told a value."""
    found = await call.services.secret_keeping.list(call.principal)
    return Json({"secrets": [_view(each) for each in found], "total": len(found)})


async def put(call: Call) -> Response:
    """Register a secret, or another value in its place: from now on it is in nothing that is written or told."""
    given = await call.body(GivenSecret)
    kept = await call.services.secret_keeping.register(
        call.principal,
        call.path["secret_name"],
        given.value,
        variable=given.variable,
        agents=frozenset(given.agents),
    )
    return Json(_view(kept))


async def delete(call: Call) -> Response:
    """Forget it: it is taken out of nothing any more."""
    return Json(_view(await call.services.secret_keeping.remove(call.principal, call.path["secret_name"])))


def _view(secret: Secret) -> dict[str, Any]:
    return {
        "name": secret.id,
        "variable": secret.variable,
        "agents": sorted(secret.agents),
        "created_by": secret.created_by,
        "created_at": secret.created_at,
        "changed_at": secret.changed_at,
    }


ROUTES: Final = (
    Route(
        "GET", _PATH, list_all, "secrets:read", summary="List registered secrets", answer=shapes.Secrets,
        tag=_TAG,
    ),
    Route(
        "PUT", _ONE, put, "secrets:write", summary="Register a secret", answer=shapes.Secret, tag=_TAG,
        body=GivenSecret, errors=(409, 501),
    ),
    Route(
        "DELETE", _ONE, delete, "secrets:write", summary="Forget a secret", answer=shapes.Secret, tag=_TAG,
        errors=(404, 409),
    ),
)  # fmt: skip
