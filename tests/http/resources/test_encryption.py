"""Which keys are in use, and their rotation."""

from __future__ import annotations

import pytest

from codetether_core.access import DEFAULT_TENANT
from codetether_core.secrets import DataKey
from tests.http.coverage import covers
from tests.http.harness import NOW
from tests.http.resources.world import open_world

pytestmark = pytest.mark.anyio


@covers("GET /v1/encryption")
@covers("POST /v1/encryption/rotate")
async def test_keys_are_told_of_and_rotated() -> None:
    """What was encrypted before can be read after it, and the trail says who did it."""
    async with open_world() as world:
        nothing = (await world.client.get("/v1/encryption")).json()
        key = {"id": "k1", "data_keys": 0, "available": True}
        assert nothing == {"tenant": "default", "at_rest": False, "key": "k1", "data_key": "", "keys": [key]}
        sealed = await world.services.encryption.encrypt(nothing["tenant"], b"hush", "here")
        rotated = await world.client.post("/v1/encryption/rotate", json={"data_key": True})
        assert rotated.json() == {"rewrapped": 0, "added": "key-000002", "tenants": 1}
        told = (await world.client.get("/v1/encryption")).json()
        assert (told["data_key"], told["keys"][0]["data_keys"]) == ("key-000002", 2)
        assert await world.services.encryption.decrypt(nothing["tenant"], sealed, "here") == b"hush"
        event, _ = (await world.client.get("/v1/audit/events?action=data_key.*")).json()["events"]
        assert (event["action"], event["resource"]) == ("data_key.added", "data_key/key-000002")
        assert event["metadata"]["wrapped_by"] == "k1"
        assert event["actor"] == (await world.client.get("/v1/auth/session")).json()["username"]
        everybody = await world.client.post("/v1/encryption/rotate", json={"all_tenants": True})
        assert everybody.json() == {"rewrapped": 0, "added": None, "tenants": 1}


async def test_a_data_key_that_is_damaged_is_told_of() -> None:
    """As what it is, whatever was to be read or written with it."""
    async with open_world() as world:
        broken = DataKey(id="key-000001", tenant=DEFAULT_TENANT, wrapped="A", wrapped_by="k1", created_at=NOW)
        await world.services.backend.data_keys.add(broken)
        refused = await world.client.put("/v1/secrets/anthropic", json={"value": "a long secret"})
        problem = refused.json()
        assert (refused.status_code, problem["code"]) == (503, "undecipherable")
        assert problem["detail"] == "The data key key-000001 of the tenant default cannot be read with the key k1"
        assert (problem["key"], problem["tenant"]) == ("key-000001", "default")
        assert "restore from a backup" in problem["hint"]
