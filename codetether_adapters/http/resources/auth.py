"""Signing in with a name and a password, staying signed in, signing out; and who it is that asks."""

from __future__ import annotations

from typing import Any, Final

from attrs import field, frozen
from starlette.responses import Response

from codetether_adapters.http.addresses import network_of
from codetether_adapters.http.call import Call
from codetether_adapters.http.resources import shapes
from codetether_adapters.http.responses import Json
from codetether_adapters.http.routing import Route
from codetether_core.access import DEFAULT_TENANT, PUBLIC, Credential, Principal
from codetether_core.errors import Invalid, NotFound, Unauthenticated
from codetether_core.ids import TenantId
from codetether_core.ports import SIGN_INS
from codetether_core.services import SignedIn

__all__ = ["ROUTES"]

_TAG: Final = "auth"
_LONGEST: Final = 200
_LONGEST_WORD: Final = 1000


@frozen(kw_only=True)
class Exchange:
    """Where somebody signs in, for the list of sign-ins."""

    device_id: str | None = None
    device_name: str | None = None
    device_type: str | None = None

    def device(self) -> dict[str, str]:
        """What was told of the place."""
        told = {"id": self.device_id, "name": self.device_name, "type": self.device_type}
        for name, value in told.items():
            if value is not None and (len(value) > _LONGEST or not value.isprintable()):
                raise Invalid(f"device_{name}", f"must have at most {_LONGEST} printable characters")
        return {name: value for name, value in told.items() if value}


@frozen(kw_only=True)
class Login(Exchange):
    """Who signs in, and where. A page asks for ``cookies``, so that no script can read the tokens."""

    username: str
    password: str = field(repr=False)
    tenant_id: str = DEFAULT_TENANT
    cookies: bool = False


@frozen(kw_only=True)
class Refresh:
    """The token that renews a sign-in; the answer has another one. Without one the browser's cookie counts."""

    refresh_token: str | None = field(default=None, repr=False)


@frozen(kw_only=True)
class NewPassword:
    """The password as it was, and as it is to be."""

    old_password: str = field(repr=False)
    new_password: str = field(repr=False)


async def login(call: Call) -> Response:
    """A token for requests, and one that renews both, for a name and a password."""
    asked = await call.body(Login)
    if max(map(len, (asked.username, asked.password, asked.tenant_id))) > _LONGEST_WORD:
        raise Unauthenticated("Name or password is wrong")
    call.request.subject = f"account/{asked.username}"
    await call.limiting.count(SIGN_INS, "address", network_of(call.address))
    if asked.cookies:
        call.browser.require_own_page()
    tenant = TenantId(asked.tenant_id)
    if await call.services.signing_in.knows(tenant, asked.username):
        call.request.tenant = tenant  # whose trail hears of it; strangers begin none
    signed_in = await call.services.signing_in.sign_in(tenant, asked.username, asked.password, asked.device())
    return Json(_kept(call, signed_in) if asked.cookies else _signed_in(signed_in))


async def refresh(call: Call) -> Response:
    """Both tokens anew. The old ones are no good any more."""
    asked = await call.body(Refresh)
    await call.limiting.count(SIGN_INS, "renewal", network_of(call.address))
    if asked.refresh_token is not None:
        return Json(_signed_in(await call.services.signing_in.renew(asked.refresh_token)))
    token = call.browser.refresh
    if token is None:
        raise Invalid("refresh_token", "is missing, and so is the cookie that stands for it", hint="sign in")
    call.browser.require_own_page()
    try:
        call.browser.require_page_of(token, call.services.issuing.require_key())
        renewed = await call.services.signing_in.renew(token)
    except Unauthenticated:
        call.browser.forget()
        raise
    return Json(_kept(call, renewed))


async def logout(call: Call) -> Response:
    """The sign-in of the token that asks ends, and every stream that it opened."""
    await call.services.signing_in.sign_out(call.principal)
    if call.browser.csrf_token is not None:
        call.browser.forget()
    return Json({"success": True, "message": "signed out"})


async def session(call: Call) -> Response:
    """Who asks, and by what right."""
    return Json(await _identity(call))


async def sessions(call: Call) -> Response:
    """Where the caller is signed in, latest first."""
    found = await call.services.signing_in.list(call.principal)
    return Json({"sessions": [_session(each) for each in found]})


async def status(call: Call) -> Response:
    """How one can sign in here; ``keycloak_url`` is what the deployed system calls an issuer."""
    available = call.services.signing_in.available
    provider = call.authentication.provider
    ways = {"a name and a password": available, "an identity provider": provider is not None, "a token": True}
    return Json(
        {
            "available": available or provider is not None,
            "message": f"sign in with {' or '.join(way for way, there in ways.items() if there)}",
            "methods": [
                *(["password"] if available else []),
                *(["oidc"] if provider else []),
                "token",
            ],
            "keycloak_url": provider.issuer if provider else None,
            "issuer": provider.issuer if provider else None,
            "client_id": provider.client_id if provider else None,
        }
    )


async def exchange(call: Call) -> Response:
    """A sign-in in place of an identity provider's token, which is the one that asks."""
    asked = await call.body(Exchange)
    return Json(_signed_in(await call.services.signing_in.exchange(call.principal, asked.device())))


async def change_password(call: Call) -> Response:
    """The caller's own. Every sign-in of that name ends, this one too."""
    asked = await call.body(NewPassword)
    await call.limiting.count(SIGN_INS, "password", call.principal.tenant, call.principal.name)
    await call.services.accounts.change_own_password(call.principal, asked.old_password, asked.new_password)
    return Json({"success": True, "message": "sign in again"})


def _signed_in(told: SignedIn) -> dict[str, Any]:
    return {**_without_tokens(told), "access_token": told.access, "refresh_token": told.renewal}


def _kept(call: Call, told: SignedIn) -> dict[str, Any]:
    """The same, with the tokens in cookies."""
    call.browser.keep(told, call.services.issuing.require_key(), call.services.clock.now())
    return {**_without_tokens(told), "csrf_token": call.browser.csrf_token}


def _without_tokens(told: SignedIn) -> dict[str, Any]:
    return {
        "success": True,
        "session": _session(told.credential),
        "token_type": "Bearer",
        "expires_at": told.credential.expires_at,
    }


def _session(credential: Credential) -> dict[str, Any]:
    return {
        "session_id": credential.id,
        "user_id": credential.owner,
        "username": credential.owner,
        "name": credential.owner,
        "roles": sorted(credential.roles),
        "tenant_id": credential.tenant,
        "created_at": credential.created_at,
        "last_activity": credential.renewed_at or credential.created_at,
        "expires_at": credential.ends_at,
        "device_info": dict(credential.device),
    }


async def _identity(call: Call) -> dict[str, Any]:
    principal: Principal = call.principal
    try:
        sign_in = _session(await call.services.signing_in.present(principal))
    except NotFound:
        sign_in = None
    return {
        "user_id": principal.name,
        "username": principal.name,
        "roles": sorted(principal.roles),
        "scopes": None if principal.scopes is None else sorted(principal.scopes),
        "tenant_id": principal.tenant,
        "worker_id": principal.worker,
        "expires_at": principal.expires_at,
        "session": sign_in,
        "csrf_token": call.browser.csrf_token,
    }


def _route(method: str, path: str, endpoint: Any, permission: str, summary: str, answer: type, **more: Any) -> Route:
    return Route(method, f"/v1/auth/{path}", endpoint, permission, summary=summary, answer=answer, tag=_TAG, **more)


ROUTES: Final = (
    _route("POST", "login", login, PUBLIC, "Sign in", shapes.SignedIn, body=Login, errors=(401, 403, 429, 501)),
    _route(
        "POST", "refresh", refresh, PUBLIC, "Stay signed in", shapes.SignedIn, body=Refresh,
        errors=(401, 403, 429, 501),
    ),
    _route(
        "POST", "exchange", exchange, "identity:write", "Sign in by an identity provider's token", shapes.SignedIn,
        body=Exchange, errors=(409, 501),
    ),
    _route("POST", "logout", logout, "identity:write", "Sign out", shapes.Confirmed, errors=(409,)),
    _route("GET", "session", session, "identity:read", "Who asks", shapes.Identity),
    _route("GET", "sessions", sessions, "identity:read", "Where the caller is signed in", shapes.SignIns),
    _route("GET", "status", status, PUBLIC, "How to sign in", shapes.SignInStatus),
    _route(
        "PUT", "password", change_password, "identity:write", "Change the own password", shapes.Confirmed,
        body=NewPassword, errors=(404, 501),
    ),
)  # fmt: skip
