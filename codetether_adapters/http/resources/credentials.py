"""Tokens that the server issues: API keys for whoever asks, and for a worker one that is good for that worker alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from attrs import frozen
from starlette.responses import Response

from codetether_adapters.http.call import Call
from codetether_adapters.http.resources import shapes
from codetether_adapters.http.resources.bounds import seconds
from codetether_adapters.http.responses import Json
from codetether_adapters.http.routing import Route
from codetether_core.access import Credential
from codetether_core.errors import Invalid
from codetether_core.ids import CredentialId, WorkerId

__all__ = ["ROUTES"]

_TAG: Final = "auth"
_LONGEST: Final = 10 * 365 * 24 * 3600
_LONGEST_NAME: Final = 100


@frozen(kw_only=True)
class NewKey:
    """``roles`` and ``scopes`` narrow what the key is good for; without them it may what its owner may.

    ``expires_in`` is in seconds.
    """

    name: str
    roles: tuple[str, ...] | None = None
    scopes: tuple[str, ...] | None = None
    expires_in: float | None = None


@frozen(kw_only=True)
class NewWorkerToken:
    """For the worker of that id. ``expires_in`` is in seconds."""

    worker_id: str
    name: str = ""
    expires_in: float | None = None


def credential_view(credential: Credential) -> dict[str, Any]:
    """A credential as JSON, without its secret."""
    return {
        "id": credential.id,
        "kind": credential.kind.name.lower(),
        "name": credential.name,
        "owner": credential.owner,
        "roles": sorted(credential.roles),
        "scopes": None if credential.scopes is None else sorted(credential.scopes),
        "worker_id": credential.worker,
        "status": credential.state,
        "created_at": credential.created_at,
        "expires_at": credential.expires_at,
        "revoked_at": credential.revoked_at,
    }


async def issue_key(call: Call) -> Response:
    """An API key that stands for the caller. Its token is told in this answer and never again."""
    asked = await call.body(NewKey)
    credential, token = await call.services.issuing.issue_key(
        call.principal,
        name=_name(asked.name),
        roles=None if asked.roles is None else frozenset(asked.roles),
        scopes=None if asked.scopes is None else frozenset(asked.scopes),
        lifetime=_lifetime(asked.expires_in),
    )
    return Json({**credential_view(credential), "token": token}, 201)


async def issue_worker_token(call: Call) -> Response:
    """A token with which one worker works, and nobody else. It is told in this answer and never again."""
    asked = await call.body(NewWorkerToken)
    credential, token = await call.services.issuing.issue_worker_token(
        call.principal,
        WorkerId(_name(asked.worker_id, "worker_id")),
        name=_name(asked.name) if asked.name else "",
        lifetime=_lifetime(asked.expires_in),
    )
    return Json({**credential_view(credential), "token": token}, 201)


@frozen(kw_only=True)
class Listing:
    """Sign-ins are told only if asked for."""

    sign_ins: bool = False


@frozen(kw_only=True)
class Whose:
    """The name of the principal that tokens stand for."""

    owner: str


async def find(call: Call) -> Response:
    """The caller's own, or for an administrator all of them; latest first."""
    found = await call.services.issuing.list(call.principal, sign_ins=call.query(Listing).sign_ins)
    return Json({"tokens": [credential_view(each) for each in found]})


async def revoke(call: Call) -> Response:
    """From now on it opens nothing, and streams that it opened end."""
    revoked = await call.services.issuing.revoke(call.principal, CredentialId(call.path["id"]))
    return Json(credential_view(revoked))


async def revoke_all(call: Call) -> Response:
    """All that stand for somebody, sign-ins too, whoever issued them: that person has to come in anew, if at all."""
    revoked = await call.services.issuing.revoke_all(call.principal, _name(call.query(Whose).owner, "owner"))
    return Json({"tokens": [credential_view(each) for each in revoked]})


def _name(text: str, field: str = "name") -> str:
    name = text.strip()
    if not 1 <= len(name) <= _LONGEST_NAME:
        raise Invalid(field, f"must have 1 to {_LONGEST_NAME} characters")
    return name


def _lifetime(expires_in: float | None) -> timedelta | None:
    return None if expires_in is None else seconds("expires_in", expires_in, 1, _LONGEST)


ROUTES: Final = (
    Route(
        "POST",
        "/v1/auth/keys",
        issue_key,
        "keys:write",
        summary="Issue an API key",
        answer=shapes.IssuedToken,
        status=201,
        tag=_TAG,
        body=NewKey,
        errors=(501,),
    ),
    Route(
        "POST",
        "/v1/auth/worker-tokens",
        issue_worker_token,
        "keys:admin",
        summary="Issue a worker's token",
        answer=shapes.IssuedToken,
        status=201,
        tag=_TAG,
        body=NewWorkerToken,
        errors=(501,),
    ),
    Route(
        "GET",
        "/v1/auth/keys",
        find,
        "keys:read",
        summary="List issued tokens",
        answer=shapes.IssuedTokens,
        tag=_TAG,
        query=Listing,
    ),
    Route(
        "DELETE",
        "/v1/auth/keys",
        revoke_all,
        "keys:write",
        summary="Revoke all that stand for somebody",
        answer=shapes.IssuedTokens,
        tag=_TAG,
        query=Whose,
    ),
    Route(
        "DELETE",
        "/v1/auth/keys/{id}",
        revoke,
        "keys:write",
        summary="Revoke an issued token",
        answer=shapes.KnownToken,
        tag=_TAG,
        errors=(404, 409),
    ),
)
