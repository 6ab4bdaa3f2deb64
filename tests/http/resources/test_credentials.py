"""Tokens that the server issues: told once, listed without their secrets, narrowed, taken back."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from attrs import define, evolve, field

from codetether_adapters.http import create_app
from codetether_adapters.http.resources import all_routes
from codetether_adapters.tokens import open_kept_tokens
from codetether_core.access import DEFAULT_TENANT, Credential
from codetether_core.errors import Unauthenticated
from codetether_core.ids import TenantId
from codetether_core.ports import RecordStore
from codetether_core.services import RolePolicy, assemble
from tests.http.coverage import covers
from tests.http.harness import TOKENS, Peer, client_of
from tests.http.resources.world import KEY, World, ok, open_world

KEYS = "/v1/auth/keys"


async def issued(client: httpx.AsyncClient, path: str = KEYS, **body: Any) -> Mapping[str, Any]:
    """A new token."""
    answer = await client.post(path, json={"name": "ci", **body} if path == KEYS else body)
    assert answer.status_code == 201, answer.text
    told: Mapping[str, Any] = answer.json()
    return told


async def status(world: World, token: str, path: str = "/v1/agent/tasks", method: str = "GET") -> int:
    """What a request with that token is answered."""
    answer = await world.client.request(method, path, json={}, headers={"Authorization": f"Bearer {token}"})
    return answer.status_code


@covers("POST /v1/auth/keys")
async def test_a_key_stands_for_whoever_asked_for_it() -> None:
    async with open_world() as world:
        key = await issued(world.editor, expires_in=60)
        assert key["token"].startswith(f"ct_{key['id']}.") and key["id"].startswith("key_")
        told = {name: key[name] for name in ("kind", "name", "owner", "roles", "scopes", "status")}
        assert told == {
            "kind": "api_key",
            "name": "ci",
            "owner": "editor",
            "roles": ["editor"],
            "scopes": None,
            "status": "active",
        }
        headers = {"Authorization": f"Bearer {key['token']}"}
        task = await world.client.post("/v1/agent/tasks", json={"title": "t", "prompt": "p"}, headers=headers)
        assert ok(task)["created_by"] == "editor"
        assert await status(world, key["token"], "/v1/auth/worker-tokens", "POST") == 403


@covers("GET /v1/auth/keys")
async def test_tokens_are_listed_without_their_secrets_to_whom_they_concern() -> None:
    async with open_world() as world:
        mine, other = await issued(world.editor), await issued(world.client, name="mine")
        for client, seen in ((world.editor, [mine["id"]]), (world.client, [other["id"], mine["id"]])):
            answer = await client.get(KEYS)
            assert [each["id"] for each in ok(answer)["tokens"]] == seen
            assert mine["token"].rpartition(".")[2] not in answer.text and "secret" not in answer.text
        assert (await world.viewer.get(KEYS)).status_code == 403


async def test_a_key_never_does_more_than_it_was_narrowed_to() -> None:
    async with open_world() as world:
        reader = await issued(world.editor, scopes=["tasks:read"])
        assert await status(world, reader["token"]) == 200
        assert await status(world, reader["token"], method="POST") == 403
        assert await status(world, reader["token"], "/v1/agent/codebases") == 403
        for role in ("viewer", "admin"):
            refused = await world.editor.post(KEYS, json={"name": "more", "roles": [role]})
            assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "n" * 101}, "name"),
        ({"name": "n", "roles": ["root"]}, "roles"),
        ({"name": "n", "scopes": ["tasks:fly"]}, "scopes"),
        ({"name": "n", "scopes": ["*:*"]}, "scopes"),
        ({"name": "n", "expires_in": 0}, "expires_in"),
        ({"name": "n", "expires_in": 1e300}, "expires_in"),
    ],
)
async def test_what_makes_no_key_is_named(body: Mapping[str, Any], field: str) -> None:
    async with open_world() as world:
        refused = await world.client.post(KEYS, json=body)
        assert (refused.status_code, refused.json()["field"]) == (422, field)


async def test_a_key_makes_no_keys() -> None:
    """One that leaked could not be taken back for good."""
    async with open_world() as world:
        key = await issued(world.client)
        assert await status(world, key["token"], KEYS) == 200
        refused = await world.client.post(
            KEYS, json={"name": "more"}, headers={"Authorization": f"Bearer {key['token']}"}
        )
        assert (refused.status_code, refused.json()["detail"]) == (403, "A key makes no keys")


@covers("DELETE /v1/auth/keys/{id}")
async def test_a_revoked_token_opens_nothing() -> None:
    """Only its owner and administrators take it back, once; to others it is not there."""
    async with open_world() as world:
        key, other = await issued(world.editor), await issued(world.client)
        assert await status(world, key["token"]) == 200
        refused = await world.editor.delete(f"{KEYS}/{other['id']}")
        assert (refused.status_code, refused.json()["code"]) == (404, "credential_not_found")
        assert ok(await world.editor.delete(f"{KEYS}/{key['id']}"))["status"] == "revoked"
        assert await status(world, key["token"]) == 401
        assert (await world.client.delete(f"{KEYS}/{key['id']}")).status_code == 409
        assert (await world.client.delete(f"{KEYS}/key_0")).status_code == 404


async def test_a_token_past_its_time_opens_nothing() -> None:
    async with open_world() as world:
        key = await issued(world.client, expires_in=60)
        world.clock.advance(seconds=59)
        assert await status(world, key["token"]) == 200
        world.clock.advance(seconds=1)
        assert await status(world, key["token"]) == 401


@pytest.mark.parametrize(
    "change",
    [
        lambda token: token[:-1],
        lambda token: f"{token}x",
        lambda token: token.replace("ct_", "ct_default."),
        lambda token: token.replace("ct_", "ct_acme."),
        lambda token: token.replace("ct_", "CT_"),
        lambda token: f"ct_{'key_' + '0' * 36}.{token.rpartition('.')[2]}",
        lambda token: token[:-2] + ("AA" if token[-2:] != "AA" else "BB"),
        lambda token: token.rpartition(".")[0],
        lambda token: token.rpartition(".")[2],
    ],
)
async def test_a_text_that_is_nearly_a_token_is_none(change: Any) -> None:
    async with open_world() as world:
        token = (await issued(world.client))["token"]
        expected = 200 if change(token) == token.replace("ct_", "ct_default.") else 401
        assert await status(world, change(token)) == expected


@covers("POST /v1/auth/worker-tokens")
async def test_a_workers_token_is_good_for_that_worker_alone() -> None:
    async with open_world() as world:
        told = await issued(world.client, "/v1/auth/worker-tokens", worker_id="wrk-1")
        assert (told["kind"], told["owner"], told["worker_id"]) == ("worker", "worker/wrk-1", "wrk-1")
        assert (await world.editor.post("/v1/auth/worker-tokens", json={"worker_id": "wrk-1"})).status_code == 403
        headers = {"Authorization": f"Bearer {told['token']}"}

        async def post(where: str, **body: Any) -> int:
            return (await world.client.post(where, json=body, headers=headers)).status_code

        assert await post("/v1/agent/workers/register", worker_id="wrk-1", name="one") == 200
        assert await post("/v1/agent/workers/register", worker_id="wrk-2", name="two") == 403
        assert await post("/v1/agent/codebases", name="n", path="/p", worker_id="wrk-2") == 403
        task = ok(await world.client.post("/v1/agent/tasks", json={"title": "t", "prompt": "p"}))["id"]
        assert await post("/v1/worker/tasks/claim", task_id=task, worker_id="wrk-2") == 403
        assert await post("/v1/worker/tasks/claim", task_id=task, worker_id="wrk-1") == 200
        assert await post("/v1/agent/tasks", title="t", prompt="p") == 403


async def test_a_stream_ends_with_what_opened_it() -> None:
    """Revoked: within a moment, and cleanly. The stream of another token goes on."""
    async with open_world() as world:
        key, other = await issued(world.client), await issued(world.client)
        peers = [
            Peer(world.app, "/v1/monitor/stream", headers={"Authorization": f"Bearer {each['token']}"})
            for each in (key, other)
        ]
        for peer in peers:
            peer.say()
            await peer.until(lambda peer: peer.status == 200)
        ok(await world.client.delete(f"{KEYS}/{key['id']}"))
        await peers[0].end()
        assert peers[0].sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}
        assert not peers[1].task.done()
        peers[1].leave()
        await peers[1].end()


async def test_a_stream_ends_when_the_time_of_its_token_is_over() -> None:
    """At that moment, not with the next request."""
    async with open_world() as world:
        key = await issued(world.client, expires_in=60)
        world.clock.advance(seconds=59.95)
        peer = Peer(world.app, "/v1/monitor/stream", headers={"Authorization": f"Bearer {key['token']}"})
        peer.say()
        await peer.until(lambda peer: peer.status == 200)
        await peer.end()
        assert peer.is_complete()


async def test_what_one_replica_revokes_the_others_hear_of() -> None:
    """A token that they know, and a stream that they have open."""
    async with open_world() as world:
        services = assemble(world.services.backend, world.clock, world.services.entropy, key=KEY)
        async with open_kept_tokens(services.issuing, services.watching, world.clock) as kept:
            other = create_app(services, authenticator=kept, authorizer=RolePolicy(), routes=all_routes())
            key = await issued(world.client)
            headers = {"Authorization": f"Bearer {key['token']}"}
            async with client_of(other, headers=headers) as client:
                assert (await client.get("/v1/agent/tasks")).status_code == 200
                peer = Peer(other, "/v1/monitor/stream", headers=headers)
                peer.say()
                await peer.until(lambda peer: peer.status == 200)
                ok(await world.client.delete(f"{KEYS}/{key['id']}"))
                await peer.end()
                assert (await client.get("/v1/agent/tasks")).status_code == 401


async def test_what_one_makes_of_a_revocation_is_no_affair_of_the_others() -> None:
    """Each is told of it, and who follows the log goes on."""

    def fails() -> None:
        raise RuntimeError

    async with open_world() as world:
        key, told = await issued(world.client), list[str]()
        async with open_kept_tokens(world.services.issuing, world.services.watching, world.clock) as kept:
            principal = await kept.authenticate(key["token"])
            assert principal is not None
            with kept.standing(principal, fails), kept.standing(principal, lambda: told.append("revoked")):
                ok(await world.client.delete(f"{KEYS}/{key['id']}"))
        assert told[:1] == ["revoked"]


async def test_an_installation_without_a_key_issues_no_tokens() -> None:
    """And says what to do."""
    async with open_world() as world:
        services = assemble(world.services.backend, world.clock, world.services.entropy)
        app = create_app(services, authenticator=TOKENS, authorizer=RolePolicy(), routes=all_routes())
        async with client_of(app, headers={"Authorization": "Bearer admin-token"}) as client:
            refused = await client.post(KEYS, json={"name": "n"})
            assert (refused.status_code, refused.json()["hint"]) == (501, "set CODETETHER_SECRET_KEY")


async def test_a_token_that_is_revoked_while_it_is_looked_up_is_not_remembered() -> None:
    """The store had answered already, and the answer was on its way."""
    async with open_world() as world:
        key = await issued(world.client)
        issuing = world.services.issuing
        credentials = Late(issuing.credentials)
        late = evolve(issuing, credentials=credentials, observers=[])
        async with open_kept_tokens(late, world.services.watching, world.clock) as kept:
            asked = asyncio.create_task(kept.authenticate(key["token"]))
            await credentials.read.acquire()
            credentials.go.release()  # before it follows the log
            await credentials.read.acquire()  # after that
            ok(await world.client.delete(f"{KEYS}/{key['id']}"))
            late.tell(await issuing.credentials.get(DEFAULT_TENANT, key["id"]))
            for _ in range(2):
                credentials.go.release()
            with pytest.raises(Unauthenticated, match="revoked"):
                await asked


async def test_a_stream_that_begins_after_its_token_was_revoked_ends_at_once() -> None:
    """It was recognized a moment before."""
    async with open_world() as world:
        key = await issued(world.client)
        async with open_kept_tokens(world.services.issuing, world.services.watching, world.clock) as kept:
            principal = await kept.authenticate(key["token"])
            assert principal is not None
            ok(await world.client.delete(f"{KEYS}/{key['id']}"))
            fallen: list[bool] = []
            with kept.standing(principal, lambda: fallen.append(True)):
                assert fallen == [True]


@covers("DELETE /v1/auth/keys")
async def test_all_that_stands_for_somebody_can_be_taken_back() -> None:
    """By that person or an administrator: keys, and sign-ins, which are listed for this."""
    async with open_world() as world:
        account = {"name": "ann", "password": "correct horse", "roles": ["editor"]}
        assert (await world.client.post("/v1/auth/accounts", json=account)).status_code == 201
        told = ok(await world.client.post("/v1/auth/login", json={"username": "ann", "password": "correct horse"}))
        ann = {"Authorization": f"Bearer {told['access_token']}"}
        key = (await world.client.post(KEYS, json={"name": "ci"}, headers=ann)).json()
        others = await issued(world.editor)
        kinds = [each["kind"] for each in (await world.get(KEYS, sign_ins=True))["tokens"] if each["owner"] == "ann"]
        assert sorted(kinds) == ["api_key", "sign_in"]
        assert (await world.editor.delete(KEYS, params={"owner": "ann"})).status_code == 403
        assert (await world.client.delete(KEYS)).status_code == 422
        gone = ok(await world.client.delete(KEYS, params={"owner": "ann"}))["tokens"]
        assert {each["id"] for each in gone} >= {key["id"]} and len(gone) == 2
        tokens = (told["access_token"], key["token"], others["token"])
        assert [await status(world, token) for token in tokens] == [401, 401, 200]
        assert ok(await world.client.delete(KEYS, params={"owner": "ann"})) == {"tokens": []}


async def test_what_ended_long_ago_is_forgotten() -> None:
    """A month later, when the next one is issued; what the trail says of it stays."""
    async with open_world() as world:

        async def known() -> set[str]:
            return {each["id"] for each in (await world.get(KEYS))["tokens"]}

        short, long = await issued(world.client, expires_in=60), await issued(world.client)
        revoked = await issued(world.client)
        ok(await world.client.delete(f"{KEYS}/{revoked['id']}"))
        world.clock.advance(days=29)
        await issued(world.client)
        assert await known() >= {short["id"], long["id"], revoked["id"]}
        world.clock.advance(days=3)
        await issued(world.client)
        assert long["id"] in await known() and not await known() & {short["id"], revoked["id"]}
        events = (await world.get("/v1/audit/events", action="credential.revoked"))["events"]
        assert [each["resource"] for each in events] == [f"credential/{revoked['id']}"]


@define(eq=False)
class Late:
    """Credentials whose store answers, and is heard when that is allowed (a ``RecordStore``)."""

    _store: RecordStore[Credential]
    read: asyncio.Semaphore = field(factory=lambda: asyncio.Semaphore(0))
    go: asyncio.Semaphore = field(factory=lambda: asyncio.Semaphore(0))

    async def get(self, tenant: TenantId, id: str) -> Credential:
        found = await self._store.get(tenant, id)
        self.read.release()
        await self.go.acquire()
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)
