"""Accounts, for who administers them."""

from __future__ import annotations

from typing import Any, Final

from attrs import field, frozen
from starlette.responses import Response

from codetether_adapters.http.call import Call
from codetether_adapters.http.resources import shapes
from codetether_adapters.http.responses import Json
from codetether_adapters.http.routing import Route
from codetether_core.access import Account

__all__ = ["ROUTES"]

_TAG: Final = "auth"
_PATH: Final = "/v1/auth/accounts"


@frozen(kw_only=True)
class NewAccount:
    """Somebody who may sign in."""

    name: str
    password: str = field(repr=False)
    roles: tuple[str, ...]


@frozen(kw_only=True)
class ChangeAccount:
    """What is to be otherwise; what is left out stays."""

    password: str | None = field(default=None, repr=False)
    roles: tuple[str, ...] | None = None
    enabled: bool | None = None


def account_view(account: Account) -> dict[str, Any]:
    """An account as JSON, without its password."""
    return {
        "name": account.id,
        "roles": sorted(account.roles),
        "status": account.state,
        "created_at": account.created_at,
        "changed_at": account.changed_at,
    }


async def add(call: Call) -> Response:
    """Somebody new."""
    asked = await call.body(NewAccount)
    account = await call.services.accounts.add(call.principal, asked.name, asked.password, frozenset(asked.roles))
    return Json(account_view(account), 201)


async def find(call: Call) -> Response:
    """All of them, by name."""
    return Json({"accounts": [account_view(each) for each in await call.services.accounts.list(call.principal)]})


async def change(call: Call) -> Response:
    """Another password, other roles, no more signing in. Sign-ins that this concerns end."""
    asked, name = await call.body(ChangeAccount), call.path["name"]
    accounts = call.services.accounts
    roles = None if asked.roles is None else frozenset(asked.roles)
    accounts.check(roles, asked.password)  # all of it, before any of it is done
    account = await accounts.find(call.principal, name)
    if roles is not None:
        account = await accounts.set_roles(call.principal, name, roles)
    if asked.password is not None:
        account = await accounts.set_password(call.principal, name, asked.password)
    if asked.enabled is not None:
        account = await accounts.switch(call.principal, name, enabled=asked.enabled)
    return Json(account_view(account))


async def remove(call: Call) -> Response:
    """Forget somebody. What was done under the name stays; everything that it opened ends."""
    await call.services.accounts.remove(call.principal, call.path["name"])
    return Json({"success": True, "message": "removed"})


ROUTES: Final = (
    Route(
        "POST", _PATH, add, "accounts:write", summary="Add an account", answer=shapes.AccountAnswer, status=201,
        tag=_TAG, body=NewAccount, errors=(409, 501),
    ),
    Route("GET", _PATH, find, "accounts:read", summary="List accounts", answer=shapes.AccountList, tag=_TAG),
    Route(
        "PATCH", _PATH + "/{name}", change, "accounts:write", summary="Change an account",
        answer=shapes.AccountAnswer, tag=_TAG, body=ChangeAccount, errors=(404, 409, 501),
    ),
    Route(
        "DELETE", _PATH + "/{name}", remove, "accounts:write", summary="Remove an account",
        answer=shapes.Confirmed, tag=_TAG, errors=(404,),
    ),
)  # fmt: skip
