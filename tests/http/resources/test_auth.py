"""Signing in: told nothing by what is wrong, renewed once with each token, over for all that it opened."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from datetime import timedelta
from typing import Any

import httpx
import pytest

from codetether_adapters.http import IdentityProvider, create_app
from codetether_adapters.http.resources import all_routes
from codetether_adapters.tokens import Chain, KeptTokens
from codetether_core.access import Principal, Token
from codetether_core.codec import moment
from codetether_core.errors import Unauthenticated
from codetether_core.services import RolePolicy
from tests.http.coverage import covers
from tests.http.harness import Peer, client_of
from tests.http.resources.world import FakeClock, World, ok, open_world

A = "/v1/auth"
PASSWORD = "correct horse"


async def account(world: World, name: str = "ann", *roles: str) -> None:
    """Somebody who may sign in."""
    body = {"name": name, "password": PASSWORD, "roles": roles or ["editor"]}
    answer = await world.client.post(f"{A}/accounts", json=body)
    assert answer.status_code == 201, answer.text


async def signed_in(world: World, name: str = "ann", password: str = PASSWORD, **more: Any) -> Mapping[str, Any]:
    """What the server tells of a sign-in."""
    body = {"username": name, "password": password, **more}
    told: Mapping[str, Any] = ok(await world.client.post(f"{A}/login", json=body, headers={"Authorization": ""}))
    return told


async def status(world: World, token: str, path: str = "/v1/agent/tasks") -> int:
    """What a request with that token is answered."""
    return (await world.client.get(path, headers={"Authorization": f"Bearer {token}"})).status_code


async def renewed(world: World, token: str) -> Any:
    """The answer to a renewing token."""
    return await world.client.post(f"{A}/refresh", json={"refresh_token": token}, headers={"Authorization": ""})


@covers("POST /v1/auth/login")
@covers("GET /v1/auth/session")
@covers("GET /v1/auth/sessions")
async def test_a_name_and_a_password_give_tokens() -> None:
    async with open_world() as world:
        await account(world)
        told = await signed_in(world, device_name="laptop", device_type="cli")
        assert told["session"]["username"] == "ann" and told["session"]["roles"] == ["editor"]
        assert told["session"]["device_info"] == {"name": "laptop", "type": "cli"}
        head = {"Authorization": f"Bearer {told['access_token']}"}
        task = await world.client.post("/v1/agent/tasks", json={"title": "t", "prompt": "p"}, headers=head)
        assert ok(task)["created_by"] == "ann"
        identity = ok(await world.client.get(f"{A}/session", headers=head))
        assert (identity["username"], identity["session"]) == ("ann", told["session"])
        assert ok(await world.client.get(f"{A}/sessions", headers=head))["sessions"] == [told["session"]]
        assert ok(await world.editor.get(f"{A}/session"))["session"] is None
        assert ok(await world.editor.get(f"{A}/sessions"))["sessions"] == []


async def test_what_is_wrong_with_a_sign_in_is_not_told() -> None:
    """The same answer for a name that is not there, one that is shut out, another tenant's, and a wrong password."""
    async with open_world() as world:
        await account(world)
        await account(world, "bob")
        ok(await world.client.patch(f"{A}/accounts/bob", json={"enabled": False}))
        answers = [
            await world.client.post(f"{A}/login", json=body, headers={"Authorization": ""})
            for body in (
                {"username": "ann", "password": "wrong"},
                {"username": "nobody", "password": PASSWORD},
                {"username": "bob", "password": PASSWORD},
                {"username": "ann", "password": PASSWORD, "tenant_id": "acme"},
                {"username": "", "password": ""},
            )
        ]
        for answer in answers:
            assert (answer.status_code, answer.json()["detail"]) == (401, "Name or password is wrong")


@covers("POST /v1/auth/refresh")
async def test_each_renewing_token_is_good_once() -> None:
    """A client may ask again when the answer was lost; later than that it is somebody else, and the sign-in ends."""
    async with open_world() as world:
        await account(world)
        first = await signed_in(world)
        world.clock.advance(minutes=59)
        assert await status(world, first["access_token"]) == 200
        world.clock.advance(minutes=1)
        assert await status(world, first["access_token"]) == 401
        assert await status(world, first["refresh_token"]) == 401
        second = ok(await renewed(world, first["refresh_token"]))
        again = ok(await renewed(world, first["refresh_token"]))
        assert await status(world, second["access_token"]) == 401
        assert await status(world, again["access_token"]) == 200
        third = ok(await renewed(world, again["refresh_token"]))
        world.clock.advance(minutes=2)
        refused = await renewed(world, first["refresh_token"])
        assert (refused.status_code, refused.json()["detail"]) == (401, "The token was used before")
        assert await status(world, third["access_token"]) == 401
        assert (await renewed(world, third["refresh_token"])).status_code == 401


@pytest.mark.parametrize("token", ["", "x", "ct_sgn_0." + "A" * 43, "ct_key_0." + "A" * 43])
async def test_what_renews_nothing(token: str) -> None:
    async with open_world() as world:
        refused = await renewed(world, token)
        assert (refused.status_code, refused.json()["detail"]) == (401, "Invalid token")


async def test_an_access_token_renews_nothing_and_a_sign_in_ends_after_a_month() -> None:
    async with open_world() as world:
        await account(world)
        told = await signed_in(world)
        assert (await renewed(world, told["access_token"])).status_code == 401
        for _ in range(29):
            world.clock.advance(days=1)
            told = ok(await renewed(world, told["refresh_token"]))
        world.clock.advance(hours=23, minutes=30)
        last = ok(await renewed(world, told["refresh_token"]))
        assert last["expires_at"] == last["session"]["expires_at"]
        world.clock.advance(minutes=30)
        refused = await renewed(world, last["refresh_token"])
        assert (refused.status_code, refused.json()["detail"]) == (401, "The sign-in is over")


@covers("POST /v1/auth/logout")
async def test_signing_out_ends_what_the_sign_in_opened() -> None:
    async with open_world() as world:
        await account(world)
        told = await signed_in(world)
        head = {"Authorization": f"Bearer {told['access_token']}"}
        peer = Peer(world.app, "/v1/monitor/stream", headers=head)
        peer.say()
        await peer.until(lambda peer: peer.status == 200)
        ok(await world.client.post(f"{A}/logout", headers=head))
        await peer.end()
        assert await status(world, told["access_token"]) == 401
        assert (await renewed(world, told["refresh_token"])).status_code == 401
        assert (await world.client.post(f"{A}/logout")).status_code == 409


@covers("PATCH /v1/auth/accounts/{name}")
@covers("DELETE /v1/auth/accounts/{name}")
@pytest.mark.parametrize(
    ("change", "sign_in_ends", "key_ends"),
    [
        ({"roles": ["viewer"]}, True, True),
        ({"roles": ["editor", "viewer"]}, True, False),
        ({"password": "another horse"}, True, False),
        ({"enabled": False}, True, True),
        ({"enabled": True}, False, False),
        (None, True, True),
    ],
)
async def test_an_account_that_changes_ends_what_no_longer_holds(
    change: Mapping[str, Any] | None, sign_in_ends: bool, key_ends: bool
) -> None:
    """``None``: it is removed."""
    async with open_world() as world:
        await account(world)
        told = await signed_in(world)
        head = {"Authorization": f"Bearer {told['access_token']}"}
        key = (await world.client.post(f"{A}/keys", json={"name": "ci"}, headers=head)).json()["token"]
        path = f"{A}/accounts/ann"
        ok(await (world.client.delete(path) if change is None else world.client.patch(path, json=change)))
        assert await status(world, told["access_token"]) == (401 if sign_in_ends else 200)
        assert await status(world, key) == (401 if key_ends else 200)


@covers("PUT /v1/auth/password")
async def test_everybody_changes_the_own_password() -> None:
    async with open_world() as world:
        await account(world, "ann", "viewer")
        told = await signed_in(world)
        head = {"Authorization": f"Bearer {told['access_token']}"}

        async def change(old: str, new: str) -> int:
            body = {"old_password": old, "new_password": new}
            return (await world.client.put(f"{A}/password", json=body, headers=head)).status_code

        assert await change("wrong", "another horse") == 401
        assert await change(PASSWORD, "short") == 422
        assert await change(PASSWORD, "another horse") == 200
        assert await status(world, told["access_token"]) == 401
        assert await signed_in(world, password="another horse")


@covers("POST /v1/auth/accounts")
@covers("GET /v1/auth/accounts")
async def test_accounts_are_listed_without_their_passwords() -> None:
    async with open_world() as world:
        await account(world, "bob", "viewer", "editor")
        await account(world)
        listed = await world.client.get(f"{A}/accounts")
        assert [(each["name"], each["roles"]) for each in ok(listed)["accounts"]] == [
            ("ann", ["editor"]),
            ("bob", ["editor", "viewer"]),
        ]
        assert "quick" not in listed.text and PASSWORD not in listed.text
        again = await world.client.post(
            f"{A}/accounts", json={"name": "ann", "password": PASSWORD, "roles": ["editor"]}
        )
        assert (again.status_code, again.json()["code"]) == (409, "account_exists")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "a/b"}, "name"),
        ({"name": " ann"}, "name"),
        ({"name": "n" * 101}, "name"),
        ({"password": "short"}, "password"),
        ({"password": "p" * 1001}, "password"),
        ({"roles": []}, "roles"),
        ({"roles": ["root"]}, "roles"),
    ],
)
async def test_what_makes_no_account_is_named(change: Mapping[str, Any], field: str) -> None:
    async with open_world() as world:
        body = {"name": "ann", "password": PASSWORD, "roles": ["editor"], **change}
        refused = await world.client.post(f"{A}/accounts", json=body)
        assert (refused.status_code, refused.json()["field"]) == (422, field)


@covers("GET /v1/auth/status")
async def test_how_to_sign_in_is_told_to_anybody() -> None:
    async with open_world() as world:
        told = ok(await world.client.get(f"{A}/status", headers={"Authorization": ""}))
        assert (told["available"], told["methods"], told["issuer"]) == (True, ["password", "token"], None)


class Vouching:
    """An identity provider's tokens (an ``Authenticator``): whatever is shown is somebody's for ten minutes."""

    def __init__(self, clock: FakeClock, role: str = "editor", provider: str | None = "https://idp") -> None:
        self.clock, self.role, self.provider = clock, role, provider

    async def authenticate(self, credential: str) -> Principal | None:
        ends = self.clock.now() + timedelta(minutes=10)
        return Principal(
            name=f"{credential}@idp", roles=frozenset({self.role}), expires_at=ends, provider=self.provider
        )

    def standing(self, principal: Principal, fall: Callable[[], None]) -> AbstractContextManager[None]:
        return nullcontext()


@asynccontextmanager
async def vouched_for(world: World, **whom: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client with a token of such a provider."""
    app = create_app(
        world.services,
        authenticator=Chain(
            (KeptTokens(world.services.issuing, world.services.watching, world.clock), Vouching(world.clock, **whom))
        ),
        authorizer=RolePolicy(),
        routes=all_routes(),
        provider=IdentityProvider(issuer="https://idp", client_id="codetether"),
    )
    async with client_of(app, headers={"Authorization": "Bearer ann"}) as client:
        yield client


@covers("POST /v1/auth/exchange")
async def test_a_providers_token_is_exchanged_for_a_sign_in() -> None:
    """For a working day; nothing else is."""
    async with open_world() as world:
        async with vouched_for(world) as client:
            assert ok(await client.get(f"{A}/status"))["issuer"] == "https://idp"
            told = ok(await client.post(f"{A}/exchange", json={"device_name": "laptop"}))
            assert (told["session"]["username"], told["session"]["roles"]) == ("ann@idp", ["editor"])
        assert await status(world, told["access_token"]) == 200
        world.clock.advance(hours=12)
        refused = await renewed(world, told["refresh_token"])
        assert (refused.status_code, refused.json()["detail"]) == (401, "The sign-in is over")
        assert (await world.client.post(f"{A}/exchange")).status_code == 409
        async with vouched_for(world, provider=None) as certified:  # what else has an end, such as a certificate
            assert (await certified.post(f"{A}/exchange")).status_code == 409


DAY = 24 * 3600


async def key_of(client: httpx.AsyncClient, **body: Any) -> httpx.Response:
    return await client.post(f"{A}/keys", json={"name": "ci", **body})


def days(world: World, answer: httpx.Response) -> float | None:
    """For how long the key lasts."""
    ends: str | None = answer.json()["expires_at"]
    return None if ends is None else (moment(ends) - world.clock.now()) / timedelta(days=1)


async def test_a_key_of_somebody_whom_a_provider_vouches_for_has_an_end() -> None:
    """Nobody here hears when that person is shut out there; also where a sign-in is shown in place of the token."""
    async with open_world() as world, vouched_for(world) as client:
        told = ok(await client.post(f"{A}/exchange"))
        async with client_of(world.app, headers={"Authorization": f"Bearer {told['access_token']}"}) as colleague:
            for who in (client, colleague):
                assert days(world, await key_of(who)) == 90
                assert days(world, await key_of(who, expires_in=7 * DAY)) == 7
                assert days(world, await key_of(who, expires_in=90 * DAY)) == 90
                refused = await key_of(who, expires_in=90 * DAY + 1)
                assert (refused.status_code, refused.json()["field"]) == (422, "expires_in")
                assert "7776000" in refused.json()["detail"] and refused.json()["hint"]


async def test_keys_of_others_last_as_long_as_they_like() -> None:
    """Of whoever is known here, and of an administrator."""
    async with open_world() as world, vouched_for(world, role="admin") as administrator:
        await account(world)
        told = await signed_in(world)
        async with client_of(world.app, headers={"Authorization": f"Bearer {told['access_token']}"}) as ann:
            for who in (world.editor, ann, administrator):
                assert days(world, await key_of(who)) is None
                assert days(world, await key_of(who, expires_in=900 * DAY)) == 900


async def test_a_sign_in_that_ended_meanwhile_leaves_no_key_behind() -> None:
    """Who ended it may not have seen the key."""
    async with open_world() as world:
        await account(world)
        told = await signed_in(world)
        issuing, token = world.services.issuing, Token.parse(told["access_token"])
        assert token is not None
        principal = await issuing.recognize(token)
        ok(await world.client.patch(f"{A}/accounts/ann", json={"enabled": False}))
        with pytest.raises(Unauthenticated, match="revoked"):
            await issuing.issue_key(principal, name="ci")
        assert await issuing.active(principal.tenant, "ann") == []


async def test_a_key_makes_nobody_who_signs_in() -> None:
    """However much it may: one that leaked would be back by another door."""
    async with open_world() as world:
        await account(world)
        key = (await world.client.post(f"{A}/keys", json={"name": "ci"})).json()["token"]
        async with client_of(world.app, headers={"Authorization": f"Bearer {key}"}) as client:
            new = {"name": "eve", "password": PASSWORD, "roles": ["admin"]}
            assert (await client.post(f"{A}/accounts", json=new)).status_code == 403
            for change in ({"roles": ["admin"]}, {"password": "another horse"}, {"enabled": True}):
                assert (await client.patch(f"{A}/accounts/ann", json=change)).status_code == 403
            assert (await client.post(f"{A}/worker-tokens", json={"worker_id": "w"})).status_code == 403
            assert (await client.patch(f"{A}/accounts/ann", json={"enabled": False})).status_code == 200


async def test_a_change_that_is_refused_in_part_is_not_made() -> None:
    async with open_world() as world:
        await account(world)
        told = await signed_in(world)
        for change in ({"roles": ["viewer"], "password": "short"}, {"enabled": False, "roles": ["root"]}):
            assert (await world.client.patch(f"{A}/accounts/ann", json=change)).status_code == 422
        assert await status(world, told["access_token"]) == 200
