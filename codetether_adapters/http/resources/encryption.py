"""Which keys the tenant's values depend on, and their rotation."""

from __future__ import annotations

from typing import Final

from attrs import asdict, frozen
from starlette.responses import Response

from codetether_adapters.http.call import Call
from codetether_adapters.http.resources import shapes
from codetether_adapters.http.responses import Json
from codetether_adapters.http.routing import Route

__all__ = ["ROUTES"]

_TAG: Final = "encryption"
_PATH: Final = "/v1/encryption"


@frozen(kw_only=True)
class Rotation:
    """With ``data_key`` what is written from now on is encrypted under a new data key; ``all_tenants`` is for an
    administrator of the tenant ``default``.
    """

    data_key: bool = False
    all_tenants: bool = False


async def state(call: Call) -> Response:
    """Which keys there are, and how many data keys are under each."""
    tenant = call.principal.tenant
    return Json({"tenant": tenant, **asdict(await call.services.rotating.in_use(tenant))})


async def rotate(call: Call) -> Response:
    """Have every data key of the tenant, or of all tenants, come under the first key of the settings.

    It may be done again at any time. A data key that cannot be read is told of when all others are done.
    """
    asked, rotating = await call.body(Rotation), call.services.rotating
    done = await rotating.rotate(call.principal, data_key=asked.data_key, all_tenants=asked.all_tenants)
    return Json(asdict(done))


ROUTES: Final = (
    Route(
        "GET", _PATH, state, "encryption:read", summary="Which keys are in use", answer=shapes.EncryptionState,
        tag=_TAG,
    ),
    Route(
        "POST", f"{_PATH}/rotate", rotate, "encryption:write", summary="Rotate keys", answer=shapes.RotationAnswer,
        tag=_TAG, body=Rotation, errors=(409, 501),
    ),
)  # fmt: skip
